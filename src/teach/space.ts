import { codedError } from '../errors.js';

/**
 * Where embeddings are compared: moved so that the mean of unrelated pictures is 0, and set to length 1
 * (Wang, Chao, Weinberger, van der Maaten 2019, "SimpleShot", CL2N).
 */
export interface Space {
  readonly centre: Float64Array;
  /** The embedding in this space; one that lies at the centre stays 0. */
  place(embedding: Float32Array): Float64Array;
}

export function createSpace(centre: Float64Array): Space {
  return {
    centre,
    place(embedding) {
      const placed = new Float64Array(centre.length);
      let squares = 0;
      for (let k = 0; k < placed.length; k += 1) {
        const value = (embedding[k] as number) - (centre[k] as number);
        placed[k] = value;
        squares += value * value;
      }
      if (squares === 0) return placed;
      const scale = 1 / Math.sqrt(squares);
      for (let k = 0; k < placed.length; k += 1) placed[k] = (placed[k] as number) * scale;
      return placed;
    },
  };
}

/** The mean of some embeddings; 0 for none. */
export function meanOf(embeddings: readonly Float32Array[], dimension: number): Float64Array {
  const mean = new Float64Array(dimension);
  for (const embedding of embeddings) {
    for (let k = 0; k < dimension; k += 1) {
      mean[k] = (mean[k] as number) + (embedding[k] as number) / embeddings.length;
    }
  }
  return mean;
}

/**
 * Holds an embedding against what is expected of it.
 *
 * @throws MND_TEACH_INVALID for another length, or a value that is no finite number
 */
export function checkEmbedding(
  embedding: Float32Array,
  dimension: number,
  subject = 'embedding',
): void {
  if (embedding.length !== dimension || dimension === 0) {
    throw codedError('MND_TEACH_INVALID', {
      subject,
      expected: `an embedding of ${dimension || 'some'} values`,
      found: `${embedding.length}`,
      next: 'make all embeddings with one network at one size',
    });
  }
  if (!embedding.every(Number.isFinite)) {
    throw codedError('MND_TEACH_INVALID', {
      subject,
      expected: 'finite numbers',
      found: 'a value that is none',
      next: 'make the embedding again',
    });
  }
}
