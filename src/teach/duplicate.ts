/**
 * Cosine of the angle between two embeddings from which on their pictures are held to be the same. Embeddings of
 * one scene in another light and from another side have 0.93 to 0.99 between them.
 */
export const DUPLICATE_COSINE = 0.99;

/**
 * Whether an embedding is as good as one of the others: teaching with it adds nothing.
 *
 * @param others of the same network at the same size
 */
export function nearDuplicate(embedding: Float32Array, others: Iterable<Float32Array>): boolean {
  for (const other of others) if (cosine(embedding, other) >= DUPLICATE_COSINE) return true;
  return false;
}

/** Cosine of the angle between two embeddings, −1 to 1; 0 where one of them is 0. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let k = 0; k < a.length; k += 1) {
    const x = a[k] as number;
    const y = b[k] as number;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}
