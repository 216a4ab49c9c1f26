import type { Crop } from './crop-files.js';
import { type TaughtTask, taskName } from './task.js';

/** How many pictures a task has. */
export interface TaskCounts {
  readonly task: TaughtTask;
  /** In order of their names. */
  readonly labels: readonly { readonly label: string; readonly pictures: number }[];
  /** Pictures of the opposite: that show none of them. */
  readonly others: number;
  readonly crops: readonly Crop[];
}

/** The tasks of all crops, by the names of their folders. */
export function tasksOf(crops: readonly Crop[]): TaskCounts[] {
  const byName = new Map<string, Crop[]>();
  for (const crop of crops) {
    const name = taskName(crop.task);
    const own = byName.get(name);
    if (own === undefined) byName.set(name, [crop]);
    else own.push(crop);
  }
  return [...byName.values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    const counts = new Map<string, number>();
    for (const { label } of own)
      if (label !== null) counts.set(label, (counts.get(label) ?? 0) + 1);
    const labels = [...counts].map(([label, pictures]) => ({ label, pictures }));
    labels.sort((a, b) => (a.label < b.label ? -1 : 1));
    const others = own.filter(({ label }) => label === null).length;
    return [{ task: first.task, labels, others, crops: own }];
  });
}
