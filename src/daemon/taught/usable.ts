import type { Config } from '../../config/config.js';
import type { Variant } from '../../models/variant.js';
import type { TaskCounts } from '../../taught/tasks.js';
import { taughtFault, twinFault } from '../options/taught-faults.js';
import { labelsIn, type TaughtLabel } from '../options/taught-labels.js';

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
  const all = labelsIn(tasks);
  const faults = all.map((each) => ({
    ...each,
    // Of two labels that share a topic the first one by name has it.
    why:
      twinFault(each, all, (other) => other.label < each.label) ??
      taughtFault(each, config, variant),
  }));
  return {
    usable: all.filter((_, index) => faults[index]?.why === null),
    unusable: faults.flatMap(({ why, ...each }) => (why === null ? [] : [{ ...each, why }])),
  };
}
