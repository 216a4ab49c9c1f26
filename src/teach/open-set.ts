/** Share of unrelated pictures that may pass for a label. */
export const FALSE_ACCEPTS = 1 / 1000;

/** Share of the highest scores from which the rest of the tail is drawn, and the least number of them. */
const TAIL = 0.1;
const LEAST_TAIL = 10;

/**
 * The score that at most 1 of 1000 unrelated pictures reaches.
 *
 * Of 1000 and more, the scores themselves say it. Of fewer, their tail is continued: what exceeds the
 * highest tenth's lower end falls off exponentially (peaks over a threshold with shape 0: Pickands 1975; Coles
 * 2001, §4.2). Its mean is known from the k scores of that tenth alone, and a mean that happens to be too
 * small lets far more through than one that is too large holds back. So the chance of a further score is taken
 * over all that the mean may be: it exceeds x times the mean seen with a probability of (1 + x/k)^−k, which
 * is e^−x for many. It is never below the highest score seen.
 *
 * @param scores of unrelated pictures, each by a fit that has not seen it
 * @param share that may reach it, over 0
 * @returns −∞ for none
 */
export function openSetThreshold(scores: Float64Array, share = FALSE_ACCEPTS): number {
  if (scores.length === 0) return Number.NEGATIVE_INFINITY;
  const sorted = Float64Array.from(scores).sort();
  const count = sorted.length;
  const allowed = Math.floor(count * share);
  // One that is reached by so many at most: just above the next lower one.
  const seen = sorted[count - 1 - allowed] as number;
  if (allowed > 0) return seen;
  const tail = Math.max(1, Math.min(count - 1, Math.max(LEAST_TAIL, Math.floor(count * TAIL))));
  const start = sorted[count - 1 - tail] ?? (sorted[0] as number);
  const mean = sorted.slice(-tail).reduce((sum, score) => sum + (score - start), 0) / tail;
  return Math.max(seen, start + mean * tail * ((tail / count / share) ** (1 / tail) - 1));
}
