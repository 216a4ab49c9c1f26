import type { Accuracy, SizeQuality, Variant } from '../variant.js';

/**
 * One figure for a size of a detector, 0 to 1: the mean of how far its detections agree with the float
 * network's at the native size (F1: the harmonic mean of the share found and the share that is right)
 * and of the pictures in which it finds the known object.
 */
export function qualityFigure({ matched, extra, hits }: SizeQuality): number {
  const right = matched + extra === 0 ? 0 : matched / (matched + extra);
  const agreement = matched + right === 0 ? 0 : (2 * matched * right) / (matched + right);
  return (agreement + hits) / 2;
}

/**
 * Accuracy of a variant for ranking, percent: the published one where it holds for this size; else the
 * native size's, lowered by as much as the measured quality is below the native size's. Where nothing
 * was published of any, sizes count by their measured quality alone; beside a published figure that
 * would compare two things. Null if nothing comparable is known.
 */
export function rankingAccuracy(variant: Variant, all: readonly Variant[]): number | null {
  const own = published(variant.accuracy);
  if (own !== null) return own;
  if (variant.quality === undefined) return null;
  const figure = qualityFigure(variant.quality);
  const siblings = all.filter(({ model }) => model === variant.model);
  for (const { accuracy, quality } of siblings) {
    const top = published(accuracy);
    if (top !== null && quality !== undefined) return (top * figure) / qualityFigure(quality);
  }
  const comparable = all.every(({ accuracy }) => published(accuracy) === null);
  return comparable ? 100 * figure : null;
}

function published({ top1, map }: Accuracy): number | null {
  return top1 ?? map;
}
