import type { Variant } from '../models/variant.js';
import { type Advice, advice } from '../teach/advice.js';
import type { HeadReport } from '../teach/report.js';
import { type HeadOptions, type HeadSurroundings, headOf } from './heads.js';
import { cropSize } from './picture.js';
import type { CropShelf } from './shelf.js';
import type { TaskCounts } from './tasks.js';

/** What a task's head is worth, and what to do next. */
export interface TaskReport {
  readonly report: HeadReport;
  /** 0 to 1; null: not known. */
  readonly quality: number | null;
  readonly advice: readonly Advice[];
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
