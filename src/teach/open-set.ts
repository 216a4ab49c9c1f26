/** Share of unrelated pictures that may pass for a label. */
export const FALSE_ACCEPTS = 1 / 1000;

/** Share of the highest scores from which the rest of the tail is drawn. */
const TAIL = 0.1;

/**
 * The score that at most 1 of 1000 unrelated pictures reaches.
 *
 * Of 1000 and more, the scores themselves say it. Of fewer, their tail is continued: what exceeds the
 * highest tenth's lower end falls off exponentially with the mean that it has among the scores seen
 * (peaks over a threshold with shape 0: Pickands 1975; Coles 2001, §4.2). Regression scores are bounded and
 * fall off faster, so that this errs to the safe side. It is never below the highest score seen.
 *
 * @param scores of unrelated pictures, each by a fit that has not seen it
 * @param share that may reach it, over 0
 * @returns −∞ for none
 */
export function openSetThreshold(scores: Float64Array, share = FALSE_ACCEPTS): number {
  if (scores.length === 0) return Number.NEGATIVE_INFINITY;
  const sorted = Float64Array.from(scores).sort();
  const allowed = Math.floor(sorted.length * share);
  // One that is reached by so many at most: just above the next lower one.
  const seen = sorted[sorted.length - 1 - allowed] as number;
  if (allowed > 0) return seen;
  const tail = Math.max(1, Math.floor(sorted.length * TAIL));
  const start = sorted[sorted.length - 1 - tail] ?? (sorted[0] as number);
  const excess = sorted.slice(-tail).reduce((sum, score) => sum + (score - start), 0) / tail;
  return Math.max(seen, start + excess * Math.log(tail / sorted.length / share));
}
