import type { TaughtTask } from '../../taught/task.js';
import type { TaskCounts } from '../../taught/tasks.js';

/** A label that was taught on this board, and of what. */
export interface TaughtLabel {
  readonly label: string;
  readonly task: TaughtTask;
}

/** The labels of some tasks, each with its task. */
export function labelsIn(tasks: readonly TaskCounts[]): TaughtLabel[] {
  return tasks.flatMap(({ task, labels }) => labels.map(({ label }) => ({ label, task })));
}

/**
 * The taught labels of a camera, in order: of its frames and zones. Those of objects are sub labels of
 * their events, no labels of their own.
 */
export function taughtLabelsOf(taught: readonly TaughtLabel[], camera: string): string[] {
  const own = taught.filter(({ task }) => isOfFrames(task) && isOfCamera(task, camera));
  return [...new Set(own.map(({ label }) => label))];
}

/** All labels that were taught, of any camera. */
export function allTaughtLabels(taught: readonly TaughtLabel[]): string[] {
  return [...new Set(taught.filter(({ task }) => isOfFrames(task)).map(({ label }) => label))];
}

export function isOfCamera({ camera }: TaughtTask, name: string): boolean {
  return camera === null || camera === name;
}

function isOfFrames({ of }: TaughtTask): boolean {
  return of === null;
}
