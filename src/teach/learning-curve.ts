/** What fits that have not seen a picture say of it. */
export interface Trial {
  /** Pictures of its label, all of them. */
  readonly pictures: number;
  /** Whether a fit with one picture of each label less is right. */
  readonly isRight: boolean;
  /** Share of fits with two less that are right, 0 to 1; null where there are none. */
  readonly oneLess: number | null;
}

/**
 * Share of new pictures that a fit of all pictures will be right of. Leaving one out says it of a fit with one
 * picture less, which with few pictures is worth less by some points. How much one more picture is worth is
 * known: from m − 2 pictures of a label to m − 1 it is what leaving out one instead of two gives. Errors of
 * linear classifiers fall as a + b/m (Fukunaga, Hayes 1989, "Effects of Sample Size in Classifier Design"), so
 * that from m − 1 to m it is (m − 2)/m of that. Where more pictures teach nothing, nothing is added. For
 * labels of fewer than three pictures it is the share of one left out.
 *
 * @returns 0 to 1; null for no trials
 */
export function expectedShare(trials: readonly Trial[]): number | null {
  if (trials.length === 0) return null;
  let sum = 0;
  for (const { pictures, isRight, oneLess } of trials) {
    const right = isRight ? 1 : 0;
    sum += right + (oneLess === null ? 0 : ((right - oneLess) * (pictures - 2)) / pictures);
  }
  return Math.min(1, Math.max(0, sum / trials.length));
}
