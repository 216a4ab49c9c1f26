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
 * The penalty with the least weighted squared error of rows that are left out (PRESS: Allen 1974). A large
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
