import { openSetThreshold } from './open-set.js';
import { fitRidge, type RidgeProblem } from './ridge.js';

/**
 * Penalties that are tried, the largest first: for the mean row. Those below 0.0001 are for networks that were made
 * for few labels, whose embeddings of unrelated pictures lie close together.
 */
export const PENALTIES: readonly number[] = [
  0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001, 0.00003, 0.00001,
];

/** Where no label has two pictures, so that nothing can be left out: near a comparison with means. */
export const SINGLE_PENALTY = 0.03;

/**
 * The penalty of labels that are told from each other: that with the least weighted squared error of rows that are left out (PRESS: Allen 1974). A large
 * one makes the fit a comparison with class means, a small one a linear classifier. The error falls and then
 * rises with it, so that what is smaller than one that is worse is not tried.
 *
 * @param counts whether a row's error at a target counts: that of a label's only picture says nothing
 */
export function choosePenalty(
  problem: RidgeProblem,
  counts: (row: number, target: number) => boolean,
): number {
  const { weights, targets } = problem;
  let best = SINGLE_PENALTY;
  let least = Number.POSITIVE_INFINITY;
  for (const penalty of PENALTIES) {
    const { leftOut } = fitRidge(problem, penalty);
    let error = 0;
    for (const [target, told] of leftOut.entries()) {
      for (const [row, value] of told.entries()) {
        if (!counts(row, target)) continue;
        const residual = (targets[target]?.[row] as number) - value;
        error += (weights[row] as number) * residual * residual;
      }
    }
    if (error >= least) break;
    best = penalty;
    least = error;
  }
  return best;
}

/** Where a picture is nearly told, as a part of the way from what unrelated pictures are told to what the label's are. */
const BLUR = 0.15;

/** Rows of a label that is told alone, by what they are. */
export interface AloneRows {
  readonly own: (row: number) => boolean;
  readonly unrelated: (row: number) => boolean;
}

/**
 * The penalty of a label that is told alone: with which the most of its pictures that are left out, and the
 * fewest of "none of these", reach the limit that unrelated pictures do not (Youden's index, 1950). A squared
 * error asks for scores near 1 and −1, where it does not matter whether they are, and takes a larger penalty:
 * of five pictures three quarters as many were told. Few pictures make a share of steps, so that each counts by how
 * far it is from the limit.
 *
 * @param problem of one target
 * @param share of unrelated pictures that may reach the limit
 */
export function choosePenaltyAlone(
  problem: RidgeProblem,
  { own, unrelated }: AloneRows,
  share: number,
): number {
  let best = SINGLE_PENALTY;
  let most = Number.NEGATIVE_INFINITY;
  for (const penalty of PENALTIES) {
    const [told = new Float64Array()] = fitRidge(problem, penalty).leftOut;
    const ours = told.filter((_, row) => own(row));
    const foreign = told.filter((_, row) => unrelated(row));
    const others = told.filter((_, row) => !own(row) && !unrelated(row));
    const limit = openSetThreshold(foreign, share);
    const width = Math.max(LEAST_WIDTH, BLUR * (mean(ours) - mean(foreign)));
    const reaching = (scores: Float64Array) =>
      mean(scores.map((score) => 1 / (1 + Math.exp((limit - score) / width))));
    const index = reaching(ours) - reaching(others);
    if (index <= most) continue;
    best = penalty;
    most = index;
  }
  return best;
}

/** Where a label's pictures are told less than unrelated ones. */
const LEAST_WIDTH = 1e-6;

function mean(values: Float64Array): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
