import { FALSE_ACCEPTS, openSetThreshold } from './open-set.js';

/**
 * The score of each label that unrelated pictures reach so seldom that one in a thousand is given any of the
 * labels. A label's limit is the higher of two, each of which has a fault that the other has not:
 *
 * - by its own scores, with its part of what may pass (Bonferroni): the tail of one label is known from few
 *   scores, so that of ten labels some limits come out too low;
 * - by all labels together: as many of its standard deviations over its mean as the best label of an unrelated
 *   picture reaches that seldom. Labels whose scores have a longer tail than others get too low a limit.
 *
 * What a bank holds is of a hundred photographs, and a strange picture can be stranger than all of those: a label
 * alone has to keep to two thirds of what may pass, and to half where these very scores have chosen its penalty. Of
 * many labels each of the two rules may let through up to twice as much: a picture that passes one of them seldom passes
 * the other, and one that passes one label often passes others (measured: docs/measurements.md, "Taught labels").
 *
 * @param told scores of unrelated pictures by a fit that has not seen them: by label, then by picture
 * @param share that each of the two rules may let through
 * @returns −∞ for no pictures
 */
export function limitsOf(told: readonly Float64Array[], share = shareOf(told.length)): number[] {
  const labels = told.length;
  const own = told.map((scores) => openSetThreshold(scores, share / labels));
  if (labels < 2) return own;
  const spreads = told.map(spreadOf);
  const best = Float64Array.from(told[0] ?? [], (_, picture) =>
    Math.max(
      ...spreads.map(({ mean, deviation }, label) => {
        return ((told[label]?.[picture] as number) - mean) / deviation;
      }),
    ),
  );
  const together = openSetThreshold(best, share);
  return own.map((limit, label) => {
    const { mean, deviation } = spreads[label] as Spread;
    return Number.isFinite(limit) ? Math.max(limit, mean + together * deviation) : limit;
  });
}

/** What each of the two rules may let through of unrelated pictures, with so many labels. */
export function shareOf(labels: number): number {
  return (FALSE_ACCEPTS * 2 * labels) / (labels + 2);
}

/** The same for a label alone whose penalty was chosen by what unrelated pictures are told. */
export const CHOSEN_SHARE = FALSE_ACCEPTS / 2;

interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/** Scores that are all the same have none: any number does that is not 0. */
const LEAST_DEVIATION = 1e-9;

function spreadOf(scores: Float64Array): Spread {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  return { mean, deviation: Math.max(LEAST_DEVIATION, Math.sqrt(squares / scores.length)) };
}
