/** Small dense symmetric matrices, just what a six-state filter needs. */
export type Matrix = number[][];

export function diagonal(values: readonly number[]): Matrix {
  return values.map((value, i) => values.map((_, j) => (i === j ? value : 0)));
}

export function multiplyVector(m: Matrix, v: readonly number[]): number[] {
  return m.map((row) => row.reduce((sum, value, j) => sum + value * (v[j] ?? 0), 0));
}

/** m += scale · a bᵀ */
export function addOuter(
  m: Matrix,
  a: readonly number[],
  b: readonly number[],
  scale: number,
): void {
  for (let i = 0; i < m.length; i += 1) {
    const row = m[i];
    if (row === undefined) continue;
    for (let j = 0; j < row.length; j += 1) {
      row[j] = (row[j] ?? 0) + scale * (a[i] ?? 0) * (b[j] ?? 0);
    }
  }
}

/** m ← F m Fᵀ for the F that adds `move` · state b to state a and multiplies state b by `decay`. */
export function scaleStates(m: Matrix, a: number, b: number, move: number, decay: number): void {
  const rowA = m[a];
  const rowB = m[b];
  if (rowA === undefined || rowB === undefined) return;
  for (let j = 0; j < rowA.length; j += 1) {
    rowA[j] = (rowA[j] ?? 0) + move * (rowB[j] ?? 0);
    rowB[j] = (rowB[j] ?? 0) * decay;
  }
  for (const row of m) {
    row[a] = (row[a] ?? 0) + move * (row[b] ?? 0);
    row[b] = (row[b] ?? 0) * decay;
  }
}
