import type { Config } from '../../config/config.js';
import type { Variant } from '../../models/variant.js';
import { topicSafe } from '../../mqtt/topics.js';
import type { TaskCounts } from '../../taught/overview.js';
import { taughtFault } from '../options/label-rules.js';
import type { TaughtLabel } from '../options/taught-labels.js';

/** A label that was taught and cannot be told. */
export interface UnusableLabel extends TaughtLabel {
  readonly why: string;
}

/** The labels of all tasks, those that can be told and those that cannot. */
export function sortLabels(
  tasks: readonly TaskCounts[],
  config: Config,
  variant: Variant,
): { readonly usable: readonly TaughtLabel[]; readonly unusable: readonly UnusableLabel[] } {
  const all = tasks.flatMap(({ task, labels }) => labels.map(({ label }) => ({ label, task })));
  const faults = all.map((each) => ({
    ...each,
    why: twinFault(each, all) ?? taughtFault(each, config, variant),
  }));
  return {
    usable: all.filter((_, index) => faults[index]?.why === null),
    unusable: faults.flatMap(({ why, ...each }) => (why === null ? [] : [{ ...each, why }])),
  };
}

/** Of two labels of frames that share a topic the first one by name has it. */
function twinFault({ label, task }: TaughtLabel, all: readonly TaughtLabel[]): string | null {
  if (task.of !== null) return null;
  const twin = all.find(
    (other) =>
      other.task.of === null && other.label < label && topicSafe(other.label) === topicSafe(label),
  );
  return twin === undefined ? null : `its topic is that of ${JSON.stringify(twin.label)}`;
}
