import t from 'tap';
import { choosePenalty, PENALTIES } from '#mobilenetd/teach/penalty.js';
import { fitRidge } from '#mobilenetd/teach/ridge.js';
import { gramMatrix, principalPart } from '#mobilenetd/teach/triangle.js';
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

/** The normal equations in the features: (Xᵀ·W·X + λ·I)·β = Xᵀ·W·y, over the rows that are kept. */
function normalEquations(p: Problem, target: number, lambda: number, leftOut: number | null) {
  const dimension = (p.rows[0] as Float64Array).length;
  const matrix = Array.from({ length: dimension }, (_, i) =>
    Array.from({ length: dimension }, (_, j) => (i === j ? lambda : 0)),
  );
  const right = new Array<number>(dimension).fill(0);
  for (const [row, x] of p.rows.entries()) {
    if (row === leftOut) continue;
    const w = p.weights[row] as number;
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

t.test('the dual solution is that of the normal equations, with more rows or fewer', (t) => {
  for (const [count, dimension] of [
    [12, 5],
    [6, 15],
    [1, 4],
  ] as const) {
    const p = problem(count, dimension, count);
    const fit = fitRidge(gramMatrix(p.rows), p.weights, p.targets, 0.3);
    for (const target of [0, 1]) {
      const primal = normalEquations(p, target, 0.3 * count, null);
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
    const p = problem(14, 6, 3);
    const fit = fitRidge(gramMatrix(p.rows), p.weights, p.targets, penalty);
    for (const target of [0, 1]) {
      for (const [row, x] of p.rows.entries()) {
        const without = dot(normalEquations(p, target, penalty * 14, row), x);
        const told = fit.leaveOneOut[target]?.[row] as number;
        t.ok(Math.abs(told - without) < 1e-8, `penalty ${penalty}, row ${row}: ${told} ${without}`);
      }
    }
  }
  t.end();
});

t.test('the penalty is the one with the least error of fits without each row', (t) => {
  const p = problem(20, 8, 9);
  const counts = (row: number, target: number) => !(row === 0 && target === 0);
  const errorOf = (penalty: number) =>
    [0, 1].reduce(
      (sum, target) =>
        p.rows.reduce((inner, x, row) => {
          if (!counts(row, target)) return inner;
          const told = dot(normalEquations(p, target, penalty * 20, row), x);
          const residual = (p.targets[target]?.[row] as number) - told;
          return inner + (p.weights[row] as number) * residual ** 2;
        }, sum),
      0,
    );
  const errors = PENALTIES.map(errorOf);
  const best = PENALTIES[errors.indexOf(Math.min(...errors))];
  t.equal(choosePenalty({ kernel: gramMatrix(p.rows), ...p, counts }), best);
  t.end();
});

t.test(
  'rows that are all the same are fitted, and left out, without a number that is none',
  (t) => {
    const row = Float64Array.from([0.5, 0.25, 0.125]);
    const rows = Array.from({ length: 30 }, () => row);
    const weights = new Float64Array(30).fill(1);
    const fit = fitRidge(gramMatrix(rows), weights, [new Float64Array(30).fill(1)], 1e-17);
    t.ok(fit.coefficients[0]?.every(Number.isFinite));
    t.ok(fit.leaveOneOut[0]?.every(Number.isFinite));
    t.end();
  },
);

t.test('a principal part has the products of its rows', (t) => {
  const { rows } = problem(9, 4, 5);
  const some = [1, 4, 8];
  t.same(
    principalPart(gramMatrix(rows), some),
    gramMatrix(some.map((row) => rows[row] as Float64Array)),
  );
  t.end();
});
