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

/** The rows and columns of some numbers, in ascending order. */
export function principalPart({ values }: Triangle, rows: readonly number[]): Triangle {
  const part = new Float64Array(rowAt(rows.length));
  let at = 0;
  for (const [index, row] of rows.entries()) {
    for (let column = 0; column <= index; column += 1) {
      part[at] = values[rowAt(row) + (rows[column] as number)] as number;
      at += 1;
    }
  }
  return { side: rows.length, values: part };
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
      const rest = (values[start + column] as number) - product(values, start, other, column);
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
 * The diagonal of (L·Lᵀ)⁻¹: sums of squares of the columns of L⁻¹, each found by itself, so that no second
 * matrix is held.
 */
export function inverseDiagonal({ side, values }: Triangle): Float64Array {
  const diagonal = new Float64Array(side);
  const column = new Float64Array(side);
  for (let j = 0; j < side; j += 1) {
    const first = 1 / (values[rowAt(j) + j] as number);
    column[j] = first;
    let squares = first * first;
    for (let row = j + 1; row < side; row += 1) {
      const start = rowAt(row);
      let sum = 0;
      for (let k = j; k < row; k += 1) sum += (values[start + k] as number) * (column[k] as number);
      const value = -sum / (values[start + row] as number);
      column[row] = value;
      squares += value * value;
    }
    diagonal[j] = squares;
  }
  return diagonal;
}

/** Of the first `count` values of two rows that lie in one array. */
function product(values: Float64Array, one: number, other: number, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k += 1) {
    sum += (values[one + k] as number) * (values[other + k] as number);
  }
  return sum;
}

/** The inner product of two vectors of one length. */
export function innerProduct(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k += 1) sum += (a[k] as number) * (b[k] as number);
  return sum;
}
