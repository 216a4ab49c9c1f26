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
 * What a bank holds is of a hundred photographs, and a strange picture can be stranger than all of those. And the
 * penalty of a label alone is chosen by these very scores: it has to keep to two fifths of what may pass. Of many
 * labels each of the two rules may let through up to twice as much: a picture that passes one of them seldom passes
 * the other, and one that passes one label often passes others (measured: docs/measurements.md, "Taught labels").
 *
 * @param told scores of unrelated pictures by a fit that has not seen them: by label, then by picture
 * @returns −∞ for no pictures
 */
export function limitsOf(told: readonly Float64Array[]): number[] {
  const labels = told.length;
  const share = shareOf(labels);
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

/** Of what may pass, the part for a label alone. */
const ALONE = 0.4;

/** What each of the two rules lets through of unrelated pictures, with so many labels. */
export function shareOf(labels: number): number {
  return FALSE_ACCEPTS * (labels === 1 ? ALONE : (2 * labels) / (labels + 2));
}

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
