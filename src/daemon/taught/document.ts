import type { TaughtPayload, TaughtTaskPayload } from '../../control/report.js';
import { codedError } from '../../errors.js';
import { taskName, taskText } from '../../taught/task.js';
import { advice } from '../../teach/advice.js';
import { figuresOf } from './figures.js';
import type { Taught } from './taught.js';

/** All that was taught, how it fares, and what to do next, as it is told to the world. */
export function taughtDocument(taught: Taught, variant: string): TaughtPayload {
  return {
    tasks: taught.tasks().map((counts) => taskDocument(counts, taught, variant)),
    unusable: taught
      .unusable()
      .map(({ label, task, why }) => ({ label, task: taskName(task), why })),
    recordings: taught.recordings(),
    error: taught.fault(),
  };
}

/**
 * The same of the tasks in which a label (null: any) was taught, with which pictures are told as which, and the
 * worst of them.
 *
 * @throws MND_INPUT_MISSING for a label that was not taught
 */
export function taughtReport(taught: Taught, variant: string, label: string | null): object {
  const all = taughtDocument(taught, variant);
  const meant = all.tasks.filter(({ labels }) => label === null || Object.hasOwn(labels, label));
  if (label !== null && meant.length === 0) {
    throw codedError('MND_INPUT_MISSING', {
      subject: JSON.stringify(label),
      expected: 'a label that was taught',
    });
  }
  const tasks = meant.map((task) => {
    const heads = taught.heads();
    const report = (heads.trainedOf(task.task, variant) ?? heads.anyOf(task.task))?.report;
    if (report === undefined) return { ...task, confusion: null, worst: [] };
    const labels = [...report.labels.map((each) => each.label), null];
    return { ...task, confusion: { labels, pictures: report.confusion }, worst: report.worst };
  });
  return { ...all, tasks };
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
