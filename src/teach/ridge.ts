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

/** Groups of rows, and how they are left out. Rows of one group weigh the same. */
export interface Part {
  readonly groups: readonly (readonly number[])[];
  /**
   * All together; or in turn one of each group, when the others of the group weigh more for it, so that the
   * group keeps its weight: as if there had always been one less of each. A group that has fewer rows than
   * another begins again; one of a single row can only be left out together.
   */
  readonly leaveOut: 'together' | 'in turn';
}

/** A weighted ridge regression in its dual form: f(x) = Σ coefficients_i · k(x_i, x). */
export interface RidgeFit {
  /** By target, then by row. */
  readonly coefficients: readonly Float64Array[];
  /** What each row is told by a fit that has not seen it, by target. */
  readonly leftOut: readonly Float64Array[];
  /**
   * The same by fits that have one row of each group less still, another one each time: by partner, then by
   * target. Of parts that are left out together, and of groups of two rows, it is what `leftOut` has.
   */
  readonly oneLess: readonly (readonly Float64Array[])[];
}

/**
 * Least squares with a penalty on the length of the solution, each row with its weight, and what each row
 * would be told if it had not been there, without fitting again.
 *
 * With G = W^½·K·W^½ + λ·I, λ = penalty·n, and c = G⁻¹·W^½·y, the residual of a row that is left out is
 * c_i / (G⁻¹)_ii (Rifkin, Lippert 2007, "Notes on Regularized Least Squares", §4), and the residuals of a
 * part B that is left out together are ((G⁻¹)_BB)⁻¹·c_B (Pahikkala, Boberg, Salakoski 2006), both divided by
 * √w_i. See {@link inTurn} for the third case.
 *
 * @param penalty positive; for the mean row
 * @param partners with how many others in turn each row is left out for `oneLess`
 */
export function fitRidge(problem: RidgeProblem, penalty: number, partners = 0): RidgeFit {
  const { kernel, weights, targets, parts } = problem;
  const roots = weights.map(Math.sqrt);
  const { factor, lambda } = factorOf(kernel, roots, penalty * kernel.side);
  const inverse = new Inverse(factor);
  const duals = targets.map((target) =>
    solve(
      factor,
      target.map((value, row) => value * (roots[row] as number)),
    ),
  );
  const leftOut = targets.map((target) => Float64Array.from(target));
  const oneLess = Array.from({ length: partners }, () =>
    targets.map((target) => Float64Array.from(target)),
  );
  for (const { groups, leaveOut } of parts) {
    const rows = groups.flat();
    const part = inverse.part(rows);
    const alone = leaveOut === 'together' ? together(part) : inTurn(part, groups, lambda, 0);
    for (const [pass, told] of [leftOut, ...oneLess].entries()) {
      const isAlone = pass === 0 || leaveOut === 'together';
      const residualsOf = isAlone ? alone : inTurn(part, groups, lambda, pass);
      for (const [target, values] of told.entries()) {
        const own = Float64Array.from(rows, (row) => duals[target]?.[row] as number);
        const residuals = residualsOf(own);
        for (const [at, row] of rows.entries()) {
          values[row] =
            (values[row] as number) - (residuals[at] as number) / (roots[row] as number);
        }
      }
    }
  }
  const coefficients = duals.map((dual) =>
    dual.map((value, row) => value * (roots[row] as number)),
  );
  return { coefficients, leftOut, oneLess };
}

/** Makes residuals, times √w, of a part's share of c. */
type Residuals = (own: Float64Array) => Float64Array;

/** @param part (G⁻¹)_BB; it is overwritten */
function together(part: Triangle): Residuals {
  choleskyInPlace(part);
  return (own) => solve(part, own);
}

/**
 * A set S of rows, d of each group (one, or two with a partner), is left out, and the weights of the others are
 * multiplied by m/(m − d), m the rows of their group. In (K + λ·W⁻¹)·α = y that changes the diagonal alone: to
 * infinity in S, and elsewhere in the groups by a factor (m − d)/m. By Woodbury's identity, with
 * T = diag(m/d)/λ and N = T − (G⁻¹)_BB, the residuals of S, times √w, are
 * T_S⁻¹·((N⁻¹)_SS − T_S⁻¹)⁻¹·(N⁻¹·c_B)_S.
 *
 * @param part (G⁻¹)_BB; its eigenvalues are below 1/λ, so that N is positive definite
 * @param partner 0: one of each group at a time; else how far on in its group the second one is
 */
function inTurn(
  { side, values }: Triangle,
  groups: readonly (readonly number[])[],
  lambda: number,
  partner: number,
): Residuals {
  const shifts = groups.flatMap(({ length }) => {
    return new Array<number>(length).fill(length / away(length, partner) / lambda);
  });
  const factor = shifted({ side, values: values.map((value) => -value) }, shifts);
  choleskyInPlace(factor);
  const inverse = new Inverse(factor);
  const turns = turnsOf(groups, partner).map((turn) => {
    const eases = turn.map(({ at }) => -1 / (shifts[at] as number));
    const block = shifted(inverse.part(turn.map(({ at }) => at)), eases);
    choleskyInPlace(block);
    return { turn, block };
  });
  return (own) => {
    const eased = solve(factor, own);
    const residuals = new Float64Array(side);
    for (const { turn, block } of turns) {
      const shares = solve(
        block,
        Float64Array.from(turn, ({ at }) => eased[at] as number),
      );
      for (const [index, { at, isFirst }] of turn.entries()) {
        if (isFirst) residuals[at] = (shares[index] as number) / (shifts[at] as number);
      }
    }
    return residuals;
  };
}

/** Rows of a group that are left out at a time: always one stays. */
function away(count: number, partner: number): 1 | 2 {
  return partner === 0 || count < 3 ? 1 : 2;
}

/** One row of each group a turn, with its partner, as places in the part, until each has been the first. */
function turnsOf(groups: readonly (readonly number[])[], partner: number) {
  const starts = groups.map((_, g) => groups.slice(0, g).flat().length);
  const count = Math.max(...groups.map(({ length }) => length));
  return Array.from({ length: count }, (_, turn) =>
    groups.flatMap(({ length }, g) => {
      const start = starts[g] as number;
      const first = { at: start + (turn % length), isFirst: turn < length };
      if (away(length, partner) === 1) return [first];
      const step = 1 + ((partner - 1) % (length - 1));
      return [first, { at: start + ((turn + step) % length), isFirst: false }];
    }),
  );
}

/** A matrix with a number added to each value of its diagonal; it is overwritten. */
function shifted(matrix: Triangle, by: readonly number[]): Triangle {
  for (let row = 0, at = 0; row < matrix.side; row += 1, at += row + 1) {
    matrix.values[at] = (matrix.values[at] as number) + (by[row] as number);
  }
  return matrix;
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
