import type { TaughtPayload, TaughtTaskPayload } from '../../control/protocol.js';
import { taskName, taskText } from '../../taught/task.js';
import type { TrainedHead } from '../../taught/trained.js';
import { advice } from '../../teach/advice.js';
import type { Taught } from './taught.js';

/** All that was taught, how it fares, and what to do next, as it is told to the world. */
export function taughtDocument(taught: Taught, variant: string): TaughtPayload {
  return {
    tasks: taught.tasks().map((counts) => taskDocument(counts, taught, variant)),
    unusable: taught
      .unusable()
      .map(({ label, task, why }) => ({ label, task: taskName(task), why })),
    recordings: taught.recordings(),
  };
}

function taskDocument(
  { task, labels, others }: ReturnType<Taught['tasks']>[number],
  taught: Taught,
  variant: string,
): TaughtTaskPayload {
  const name = taskName(task);
  const state = taught.heads().stateOf(name);
  const trained = taught.heads().trainedOf(name, variant) ?? taught.heads().anyOf(name);
  const counts = new Map(labels.map(({ label, pictures }) => [label, pictures]));
  const report = trained?.report;
  return {
    task: name,
    text: taskText(task),
    ...task,
    labels: Object.fromEntries(counts),
    others,
    state: state?.state ?? 'learning',
    ready: state?.ready ?? 0,
    networks: state?.of ?? 0,
    error: state?.error ?? null,
    figures: trained === null ? null : figuresOf(trained),
    advice: advice({ counts, others, ...(report && { report }) }),
  };
}

function figuresOf({ report, quality }: TrainedHead): NonNullable<TaughtTaskPayload['figures']> {
  return {
    accuracy: report.accuracy,
    false_accepts: report.falseAccepts,
    quality,
    labels: report.labels.map(({ label, recall, precision }) => ({ label, recall, precision })),
  };
}
