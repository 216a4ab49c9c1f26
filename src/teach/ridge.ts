import { choleskyInPlace, Inverse, solve, type Triangle } from './triangle.js';

export interface RidgeProblem {
  /** Inner products of the rows. */
  readonly kernel: Triangle;
  /** Of the rows, positive; their sum is the number of rows. */
  readonly weights: Float64Array;
  /** By target, then by row. */
  readonly targets: readonly Float64Array[];
  /** All rows, each in one part. */
  readonly parts: readonly Part[];
}

/** Rows that weigh the same, and how they are left out. */
export interface Part {
  readonly rows: readonly number[];
  /**
   * All together; or one by one, when the others of the part weigh more for it, so that the part keeps its
   * weight: as if there had never been so many.
   */
  readonly leaveOut: 'together' | 'one by one';
}

/** A weighted ridge regression in its dual form: f(x) = Σ coefficients_i · k(x_i, x). */
export interface RidgeFit {
  /** By target, then by row. */
  readonly coefficients: readonly Float64Array[];
  /** What each row is told by a fit that has not seen it, by target. */
  readonly leftOut: readonly Float64Array[];
}

/**
 * Least squares with a penalty on the length of the solution, each row with its weight, and what each row
 * would be told if it had not been there, without fitting again.
 *
 * With G = W^½·K·W^½ + λ·I, λ = penalty·n, and c = G⁻¹·W^½·y, the residual of a row that is left out is
 * c_i / (G⁻¹)_ii (Rifkin, Lippert 2007, "Notes on Regularized Least Squares", §4), and the residuals of a
 * part B that is left out together are ((G⁻¹)_BB)⁻¹·c_B (Pahikkala, Boberg, Salakoski 2006), both divided by
 * √w_i. See {@link oneByOne} for the third case.
 *
 * @param penalty positive; for the mean row
 */
export function fitRidge(problem: RidgeProblem, penalty: number): RidgeFit {
  const { kernel, weights, targets, parts } = problem;
  const roots = weights.map(Math.sqrt);
  const { factor, lambda } = factorOf(kernel, roots, penalty * kernel.side);
  const inverse = new Inverse(factor);
  const residualsOf = parts.map(({ rows, leaveOut }) => {
    const part = inverse.part(rows);
    return leaveOut === 'together' ? together(part) : oneByOne(part, lambda);
  });
  const coefficients: Float64Array[] = [];
  const leftOut: Float64Array[] = [];
  for (const target of targets) {
    const dual = solve(
      factor,
      target.map((value, row) => value * (roots[row] as number)),
    );
    const told = Float64Array.from(target);
    for (const [index, { rows }] of parts.entries()) {
      const own = Float64Array.from(rows, (row) => dual[row] as number);
      const residuals = residualsOf[index]?.(own) ?? own;
      for (const [at, row] of rows.entries()) {
        told[row] = (told[row] as number) - (residuals[at] as number) / (roots[row] as number);
      }
    }
    leftOut.push(told);
    coefficients.push(dual.map((value, row) => value * (roots[row] as number)));
  }
  return { coefficients, leftOut };
}

/** Makes residuals, times √w, of a part's share of c. */
type Residuals = (own: Float64Array) => Float64Array;

/** @param part (G⁻¹)_BB; it is overwritten */
function together(part: Triangle): Residuals {
  choleskyInPlace(part);
  return (own) => solve(part, own);
}

/**
 * Row i of a part of m rows is left out and the others' weights are multiplied by m/(m − 1). In
 * (K + λ·W⁻¹)·α = y that changes the diagonal alone: to infinity at i, and elsewhere in the part by a factor
 * (m − 1)/m. By Woodbury's identity, with τ = m/λ and N = τ·I − (G⁻¹)_BB, the residuals of all i at once are
 * (N⁻¹·c_B)_i / (τ·(N⁻¹)_ii − 1). For m = 1 this is c_i / (G⁻¹)_ii.
 *
 * @param part (G⁻¹)_BB; its eigenvalues are below 1/λ, so that N is positive definite
 */
function oneByOne({ side, values }: Triangle, lambda: number): Residuals {
  const shift = side / lambda;
  if (side === 1) return (own) => own.map((value) => value / (values[0] as number));
  const rest = values.map((value) => -value);
  for (let row = 0, at = 0; row < side; row += 1, at += row + 1) {
    rest[at] = shift + (rest[at] as number);
  }
  const factor = { side, values: rest };
  choleskyInPlace(factor);
  const inverse = new Inverse(factor);
  const divisors = Float64Array.from({ length: side }, (_, row) => {
    return shift * inverse.entry(row, row) - 1;
  });
  return (own) => solve(factor, own).map((value, row) => value / (divisors[row] as number));
}

/** The Cholesky factor of the weighted kernel with its penalty. */
function factorOf({ side, values }: Triangle, roots: Float64Array, penalty: number) {
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
    if (choleskyInPlace(factor)) return { factor, lambda: added };
  }
}
