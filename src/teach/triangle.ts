/**
 * A symmetric matrix as its lower triangle, row by row: row i begins at i·(i + 1)/2 and has i + 1 values,
 * so that sums over two rows run through memory in order.
 */
export interface Triangle {
  readonly side: number;
  readonly values: Float64Array;
}

/** Where a row begins. */
function rowAt(row: number): number {
  return (row * (row + 1)) / 2;
}

/** All inner products of vectors of equal length. */
export function gramMatrix(vectors: readonly Float64Array[]): Triangle {
  const side = vectors.length;
  const values = new Float64Array(rowAt(side));
  let at = 0;
  for (let row = 0; row < side; row += 1) {
    const vector = vectors[row] as Float64Array;
    for (let column = 0; column <= row; column += 1) {
      values[at] = innerProduct(vector, vectors[column] as Float64Array);
      at += 1;
    }
  }
  return { side, values };
}

/**
 * The factor L of A = L·Lᵀ, in the matrix's own memory (Cholesky–Banachiewicz: row by row).
 *
 * @returns false where the matrix is not positive definite
 */
export function choleskyInPlace({ side, values }: Triangle): boolean {
  for (let row = 0; row < side; row += 1) {
    const start = rowAt(row);
    for (let column = 0; column <= row; column += 1) {
      const other = rowAt(column);
      const rest =
        (values[start + column] as number) - productOf(values, start, values, other, column);
      if (column < row) {
        values[start + column] = rest / (values[other + column] as number);
      } else {
        if (!(rest > 0)) return false;
        values[start + row] = Math.sqrt(rest);
      }
    }
  }
  return true;
}

/** The solution x of L·Lᵀ·x = b. */
export function solve({ side, values }: Triangle, b: Float64Array): Float64Array {
  const x = Float64Array.from(b);
  for (let row = 0; row < side; row += 1) {
    const start = rowAt(row);
    let rest = x[row] as number;
    for (let k = 0; k < row; k += 1) rest -= (values[start + k] as number) * (x[k] as number);
    x[row] = rest / (values[start + row] as number);
  }
  for (let row = side - 1; row >= 0; row -= 1) {
    const start = rowAt(row);
    const value = (x[row] as number) / (values[start + row] as number);
    x[row] = value;
    for (let k = 0; k < row; k += 1) {
      x[k] = (x[k] as number) - (values[start + k] as number) * value;
    }
  }
  return x;
}

/**
 * Entries of (L·Lᵀ)⁻¹. Of L⁻¹ each column is kept in order, from its diagonal on: an entry of the inverse is
 * a sum over two of them.
 */
export class Inverse {
  readonly #side: number;
  readonly #columns: readonly Float64Array[];

  /** @param factor L */
  constructor({ side, values }: Triangle) {
    this.#side = side;
    this.#columns = Array.from({ length: side }, (_, j) => columnOfInverse(values, side, j));
  }

  entry(row: number, column: number): number {
    const from = Math.max(row, column);
    const one = this.#columns[row] as Float64Array;
    const other = this.#columns[column] as Float64Array;
    return productOf(one, from - row, other, from - column, this.#side - from);
  }

  /** Its rows and columns of some numbers. */
  part(rows: readonly number[]): Triangle {
    const values = rows.flatMap((row, index) =>
      rows.slice(0, index + 1).map((column) => this.entry(row, column)),
    );
    return { side: rows.length, values: Float64Array.from(values) };
  }
}

/** Column j of L⁻¹, from its diagonal on, by forward substitution. */
function columnOfInverse(values: Float64Array, side: number, j: number): Float64Array {
  const column = new Float64Array(side - j);
  column[0] = 1 / (values[rowAt(j) + j] as number);
  for (let row = j + 1; row < side; row += 1) {
    const start = rowAt(row) + j;
    const count = row - j;
    const sum = productOf(values, start, column, 0, count);
    column[count] = -sum / (values[start + count] as number);
  }
  return column;
}

/** The inner product of two vectors of one length. */
export function innerProduct(a: Float64Array, b: Float64Array): number {
  return productOf(a, 0, b, 0, a.length);
}

/**
 * Sum of products of `count` values from two places on. Four sums at a time: each addition would else wait
 * for the one before.
 */
function productOf(
  a: Float64Array,
  from: number,
  b: Float64Array,
  other: number,
  count: number,
): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 3 < count; k += 4) {
    s0 += (a[from + k] as number) * (b[other + k] as number);
    s1 += (a[from + k + 1] as number) * (b[other + k + 1] as number);
    s2 += (a[from + k + 2] as number) * (b[other + k + 2] as number);
    s3 += (a[from + k + 3] as number) * (b[other + k + 3] as number);
  }
  for (; k < count; k += 1) s0 += (a[from + k] as number) * (b[other + k] as number);
  return s0 + s1 + (s2 + s3);
}
