import { fitRidge } from './ridge.js';
import { principalPart, type Triangle } from './triangle.js';

/** Penalties that are tried, the largest first: of the mean row. */
export const PENALTIES: readonly number[] = [10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001];

/** Rows on which penalties are compared: each costs a factorisation. */
const MAX_ROWS = 400;

export interface PenaltyInput {
  readonly kernel: Triangle;
  readonly weights: Float64Array;
  readonly targets: readonly Float64Array[];
  /** Whether a row's error at a target counts: that of a label's only picture says nothing. */
  readonly counts: (row: number, target: number) => boolean;
}

/**
 * The penalty with the least weighted squared error of rows that are left out (PRESS: Allen 1974). A large
 * one makes the fit a comparison with class means, a small one a linear classifier. Of more than 400 rows,
 * every so manieth is looked at.
 */
export function choosePenalty({ kernel, weights, targets, counts }: PenaltyInput): number {
  const step = Math.max(1, kernel.side / MAX_ROWS);
  const rows = Array.from({ length: Math.min(kernel.side, MAX_ROWS) }, (_, index) =>
    Math.floor(index * step),
  );
  const part = rows.length === kernel.side ? kernel : principalPart(kernel, rows);
  const pick = (values: Float64Array) => Float64Array.from(rows, (row) => values[row] as number);
  const chosen = pick(weights);
  const mean = chosen.reduce((sum, weight) => sum + weight, 0) / chosen.length;
  const input = {
    weights: chosen.map((weight) => weight / mean),
    targets: targets.map(pick),
  };
  let best = PENALTIES[0] as number;
  let least = Number.POSITIVE_INFINITY;
  for (const penalty of PENALTIES) {
    const { leaveOneOut } = fitRidge(part, input.weights, input.targets, penalty);
    let error = 0;
    for (const [target, told] of leaveOneOut.entries()) {
      for (const [index, row] of rows.entries()) {
        if (!counts(row, target)) continue;
        const residual = (input.targets[target]?.[index] as number) - (told[index] as number);
        error += (input.weights[index] as number) * residual * residual;
      }
    }
    if (error >= least) continue;
    best = penalty;
    least = error;
  }
  return best;
}
