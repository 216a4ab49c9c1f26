import type { Example } from './head.js';
import { type Trained, trainHead } from './train.js';

/** What a rung is worth for a taught task. */
export interface RungQuality extends Trained {
  /** 0 to 1: share of taught pictures that a fit without them names rightly; null where nothing is known. */
  readonly quality: number | null;
}

/**
 * The head of one variant of the ladder, and what that variant is worth for it: the mean of its labels'
 * recall and of the share of other pictures that it names none of, all by leaving pictures out. The rungs
 * of a taught task are ordered by it, not by published accuracies.
 *
 * @param examples as this variant sees them
 * @throws MND_TEACH_INVALID
 */
export function rungQuality(
  examples: readonly Example[],
  negatives: readonly Float32Array[],
): RungQuality {
  const trained = trainHead(examples, negatives);
  return { ...trained, quality: qualityOf(trained) };
}

function qualityOf({ report }: Trained): number | null {
  const recalls = report.labels.flatMap(({ recall }) => recall ?? []);
  if (recalls.length === 0) return null;
  const shares = [...recalls, ...(report.falseAccepts === null ? [] : [1 - report.falseAccepts])];
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
