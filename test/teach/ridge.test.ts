import t from 'tap';
import { choosePenalty, PENALTIES } from '#mobilenetd/teach/penalty.js';
import { fitRidge, type Part, type RidgeProblem } from '#mobilenetd/teach/ridge.js';
import { gramMatrix } from '#mobilenetd/teach/triangle.js';
import { normal, random } from './things.js';

interface Problem {
  readonly rows: readonly Float64Array[];
  readonly weights: Float64Array;
  readonly targets: readonly Float64Array[];
}

function problem(count: number, dimension: number, seed: number): Problem {
  const next = random(seed);
  const rows = Array.from({ length: count }, () =>
    Float64Array.from({ length: dimension }, () => normal(next)),
  );
  const raw = Float64Array.from({ length: count }, () => 0.2 + next());
  const mean = raw.reduce((a, b) => a + b) / count;
  return {
    rows,
    weights: raw.map((weight) => weight / mean),
    targets: [0, 1].map(() => Float64Array.from({ length: count }, () => (next() < 0.5 ? 1 : -1))),
  };
}

/** Gauss–Jordan with pivots: nothing in common with what is tested. */
function solveFully(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index] as number]);
  for (let k = 0; k < rows.length; k += 1) {
    const below = rows.slice(k).map((row) => Math.abs(row[k] as number));
    const pivot = k + below.indexOf(Math.max(...below));
    [rows[k], rows[pivot]] = [rows[pivot] as number[], rows[k] as number[]];
    const lead = rows[k] as number[];
    for (const [index, row] of rows.entries()) {
      if (index === k) continue;
      const factor = (row[k] as number) / (lead[k] as number);
      for (let c = k; c < row.length; c += 1)
        row[c] = (row[c] as number) - factor * (lead[c] as number);
    }
  }
  return rows.map((row, k) => (row[rows.length] as number) / (row[k] as number));
}

/** The normal equations in the features: (Xᵀ·W·X + λ·I)·β = Xᵀ·W·y, with weights of 0 for rows left out. */
function normalEquations(p: Problem, target: number, lambda: number, weights: Float64Array) {
  const dimension = (p.rows[0] as Float64Array).length;
  const matrix = Array.from({ length: dimension }, (_, i) =>
    Array.from({ length: dimension }, (_, j) => (i === j ? lambda : 0)),
  );
  const right = new Array<number>(dimension).fill(0);
  for (const [row, x] of p.rows.entries()) {
    const w = weights[row] as number;
    for (let i = 0; i < dimension; i += 1) {
      const line = matrix[i] as number[];
      for (let j = 0; j < dimension; j += 1) {
        line[j] = (line[j] as number) + w * (x[i] as number) * (x[j] as number);
      }
      right[i] = (right[i] as number) + w * (x[i] as number) * (p.targets[target]?.[row] as number);
    }
  }
  return solveFully(matrix, right);
}

const dot = (a: readonly number[], b: Float64Array) =>
  a.reduce((sum, value, k) => sum + value * (b[k] as number), 0);

/** A problem whose rows are in groups of a few, which weigh the same inside; each of one row in a part alone. */
function inParts(p: Problem, sizes: readonly number[]): RidgeProblem {
  const weights = p.weights.slice();
  const groups: number[][] = [];
  for (const size of sizes) {
    const first = groups.flat().length;
    const rows = Array.from({ length: size }, (_, k) => first + k);
    for (const row of rows) weights[row] = p.weights[first] as number;
    groups.push(rows);
  }
  // The last of several is left out together, the others in turn.
  const several = groups.filter(({ length }) => length > 1);
  const last = several.length > 1 ? several.pop() : undefined;
  const alone = [...groups.filter(({ length }) => length === 1), ...(last ? [last] : [])];
  const parts: Part[] = alone.map((rows) => ({ groups: [rows], leaveOut: 'together' }));
  if (several.length > 0) parts.push({ groups: several, leaveOut: 'in turn' });
  return { kernel: gramMatrix(p.rows), weights, targets: p.targets, parts };
}

/** Weights without a row, as its part is left out: in turn with one row of each other group, or two. */
function without(
  weights: Float64Array,
  { groups, leaveOut }: Part,
  row: number,
  partner = 0,
): Float64Array {
  const turn = groups.find((group) => group.includes(row))?.indexOf(row) ?? 0;
  return weights.map((weight, other) => {
    const group = groups.find((rows) => rows.includes(other));
    if (group === undefined) return weight;
    const { length } = group;
    const gone = [group[turn % length]];
    if (partner > 0 && length > 2) {
      gone.push(group[((turn % length) + 1 + ((partner - 1) % (length - 1))) % length]);
    }
    if (leaveOut === 'together' || gone.includes(other)) return 0;
    return (weight * length) / (length - gone.length);
  });
}

t.test('the dual solution is that of the normal equations, with more rows or fewer', (t) => {
  for (const [count, dimension] of [
    [12, 5],
    [6, 15],
    [1, 4],
  ] as const) {
    const p = problem(count, dimension, count);
    const ridge = inParts(p, new Array(count).fill(1));
    const fit = fitRidge(ridge, 0.3);
    for (const target of [0, 1]) {
      const primal = normalEquations(p, target, 0.3 * count, ridge.weights);
      for (const probe of p.rows) {
        const told = p.rows.reduce(
          (sum, row, i) => sum + (fit.coefficients[target]?.[i] as number) * dot([...row], probe),
          0,
        );
        t.ok(Math.abs(told - dot(primal, probe)) < 1e-9, `${count}×${dimension}`);
      }
    }
  }
  t.end();
});

t.test('what a row is told when it is left out is what a fit without it tells', (t) => {
  for (const penalty of [10, 0.1, 1e-4]) {
    for (const sizes of [
      [5, 3, 4, 2],
      [1, 1, 12],
      [14],
      [2, 12],
      [3, 1, 6, 2, 2],
      [2, 2, 2, 2, 6],
    ]) {
      const p = problem(14, 6, 3);
      const ridge = inParts(p, sizes);
      const { leftOut, oneLess } = fitRidge(ridge, penalty, 3);
      for (const [partner, fits] of [leftOut, ...oneLess].entries()) {
        for (const part of ridge.parts) {
          for (const row of part.groups.flat()) {
            const weights = without(ridge.weights, part, row, partner);
            const x = p.rows[row] as Float64Array;
            for (const target of [0, 1]) {
              const expected = dot(normalEquations(p, target, penalty * 14, weights), x);
              const told = fits[target]?.[row] as number;
              t.ok(Math.abs(told - expected) < 1e-7, `${penalty}, ${sizes}: ${told} ${expected}`);
            }
          }
        }
      }
    }
  }
  t.end();
});

t.test('the penalty is the one with the least error of fits without each row', (t) => {
  const p = problem(20, 8, 9);
  const ridge = inParts(p, [8, 5, 7]);
  const counts = (row: number, target: number) => !(row === 0 && target === 0);
  const errorOf = (penalty: number) => {
    let error = 0;
    for (const part of ridge.parts) {
      for (const row of part.groups.flat()) {
        const weights = without(ridge.weights, part, row);
        for (const target of [0, 1]) {
          if (!counts(row, target)) continue;
          const beta = normalEquations(p, target, penalty * 20, weights);
          const told = dot(beta, p.rows[row] as Float64Array);
          const residual = (p.targets[target]?.[row] as number) - told;
          error += (ridge.weights[row] as number) * residual ** 2;
        }
      }
    }
    return error;
  };
  const errors = PENALTIES.map(errorOf);
  const best = PENALTIES[errors.indexOf(Math.min(...errors))];
  t.equal(choosePenalty(ridge, counts), best);
  t.end();
});

t.test(
  'rows that are all the same are fitted, and left out, without a number that is none',
  (t) => {
    const row = Float64Array.from([0.5, 0.25, 0.125]);
    const rows = Array.from({ length: 30 }, () => row);
    const weights = new Float64Array(30).fill(1);
    for (const leaveOut of ['together', 'in turn'] as const) {
      const halves = [0, 1].map((half) => rows.map((_, k) => k).filter((k) => k % 2 === half));
      const parts = [{ groups: halves, leaveOut }];
      const targets = [new Float64Array(30).fill(1)];
      const fit = fitRidge({ kernel: gramMatrix(rows), weights, targets, parts }, 1e-17);
      t.ok(fit.coefficients[0]?.every(Number.isFinite), leaveOut);
      t.ok(fit.leftOut[0]?.every(Number.isFinite), leaveOut);
    }
    t.end();
  },
);
