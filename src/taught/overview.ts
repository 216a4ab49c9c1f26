import type { Variant } from '../models/variant.js';
import { type Advice, advice } from '../teach/advice.js';
import type { HeadReport } from '../teach/report.js';
import type { Crop } from './crop-files.js';
import { type HeadOptions, type HeadSurroundings, headOf } from './heads.js';
import { cropSize } from './picture.js';
import type { CropShelf } from './shelf.js';
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

/** What a task's head is worth, and what to do next. */
export interface TaskReport {
  readonly report: HeadReport;
  /** 0 to 1; null: not known. */
  readonly quality: number | null;
  readonly advice: readonly Advice[];
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

/** Advice that needs no head: by counts and sizes alone. */
export async function earlyAdvice(
  shelf: CropShelf,
  counts: TaskCounts,
): Promise<readonly Advice[]> {
  return advice({ ...(await countsOf(shelf, counts)) });
}

/**
 * Makes the head of a task for a variant, and says what it is worth.
 *
 * @throws MND_TEACH_INVALID, what embedding throws; the signal's reason
 */
export async function reportOf(
  around: HeadSurroundings,
  counts: TaskCounts,
  variant: Variant,
  options: HeadOptions = {},
): Promise<TaskReport> {
  const { report, quality } = await headOf(around, counts.task, counts.crops, variant, options);
  const told = advice({ ...(await countsOf(around.shelf, counts)), report });
  return { report, quality, advice: told };
}

async function countsOf(shelf: CropShelf, { labels, others, crops }: TaskCounts) {
  const sizes = new Map<string, number>();
  for (const crop of crops) {
    if (crop.label === null) continue;
    const size = await shelf.read(crop).then(cropSize, () => null);
    if (size === null) continue;
    const side = Math.min(...size);
    sizes.set(crop.label, Math.min(sizes.get(crop.label) ?? side, side));
  }
  const counts = new Map(labels.map(({ label, pictures }) => [label, pictures]));
  return { counts, others, sizes };
}
