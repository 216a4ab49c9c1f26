import { choleskyInPlace, inverseDiagonal, solve, type Triangle } from './triangle.js';

/** A weighted ridge regression in its dual form: f(x) = Σ coefficients_i · k(x_i, x). */
export interface RidgeFit {
  /** By target, then by row. */
  readonly coefficients: readonly Float64Array[];
  /** What each row is told by the fit to all others, by target. */
  readonly leaveOneOut: readonly Float64Array[];
}

/**
 * Least squares with a penalty on the length of the solution, each row with its weight, and what each row
 * would be told if it had not been there, without fitting again.
 *
 * With G = W^½·K·W^½ + penalty·n·I and c = G⁻¹·W^½·y, the residual of a row that is left out is
 * c_i / (G⁻¹)_ii (Rifkin, Lippert 2007, "Notes on Regularized Least Squares", §4), here divided by √w_i.
 *
 * @param kernel inner products of the rows
 * @param weights positive, of the rows; their sum is the number of rows
 * @param targets by target, then by row
 * @param penalty positive; for the mean row
 */
export function fitRidge(
  kernel: Triangle,
  weights: Float64Array,
  targets: readonly Float64Array[],
  penalty: number,
): RidgeFit {
  const roots = weights.map(Math.sqrt);
  const factor = factorOf(kernel, roots, penalty * kernel.side);
  const diagonal = inverseDiagonal(factor);
  const coefficients: Float64Array[] = [];
  const leaveOneOut: Float64Array[] = [];
  for (const target of targets) {
    const dual = solve(
      factor,
      target.map((value, row) => value * (roots[row] as number)),
    );
    leaveOneOut.push(
      target.map(
        (value, row) =>
          value - (dual[row] as number) / ((diagonal[row] as number) * (roots[row] as number)),
      ),
    );
    coefficients.push(dual.map((value, row) => value * (roots[row] as number)));
  }
  return { coefficients, leaveOneOut };
}

/** The Cholesky factor of the weighted kernel with its penalty. */
function factorOf({ side, values }: Triangle, roots: Float64Array, penalty: number): Triangle {
  // Rows that are alike leave rounding errors where there should be the penalty alone.
  for (let added = penalty; ; added *= 10) {
    const weighted = new Float64Array(values.length);
    let at = 0;
    for (let row = 0; row < side; row += 1) {
      for (let column = 0; column <= row; column += 1) {
        const value = (values[at] as number) * (roots[row] as number) * (roots[column] as number);
        weighted[at] = row === column ? value + added : value;
        at += 1;
      }
    }
    const factor = { side, values: weighted };
    if (choleskyInPlace(factor)) return factor;
  }
}
