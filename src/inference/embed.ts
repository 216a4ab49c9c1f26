import { encodedPicture, type Frame } from '../camera/source.js';
import type { Variant } from '../models/variant.js';
import { systemClock } from '../time.js';
import { type EngineOptions, startEngine } from './engine.js';

export interface EmbedOptions {
  /** Ends before the next picture; the iteration then throws the reason. */
  readonly signal?: AbortSignal;
  /** Threads of one inference; default 1. */
  readonly threads?: EngineOptions['threads'];
  /** How much the daemon's frames go before it, 0 to 19; default 10. */
  readonly nice?: EngineOptions['nice'];
}

const DEFAULT_NICE = 10;

/**
 * Embeddings of stored pictures by one variant, in their order, each cropped and resized as a frame of a
 * camera is. They are made in an engine of their own, which ends with the iteration: the daemon's frames
 * keep theirs.
 *
 * @param pictures encoded: JPEG, or what else is decoded
 * @throws what loading a variant throws, MND_MODEL_OPERATOR for one without embeddings, MND_IMAGE_INVALID
 */
export async function* embedPictures(
  variant: Variant,
  pictures: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { signal, threads = 1, nice = DEFAULT_NICE }: EmbedOptions = {},
): AsyncGenerator<Float32Array> {
  const engine = await startEngine({ threads, nice });
  try {
    await engine.load({ ...variant, embedding: true });
    let sequence = 0;
    for await (const bytes of pictures) {
      signal?.throwIfAborted();
      sequence += 1;
      const run = { topK: 1, threshold: 1, embedding: true } as const;
      const { embedding } = await engine.run(variant.name, encodedFrame(bytes, sequence), run);
      // The engine gives what a variant was loaded with.
      yield embedding as Float32Array;
    }
  } finally {
    await engine.close();
  }
}

/** A stored picture as a frame: whoever decodes it finds out its kind and size. */
export function encodedFrame(bytes: Uint8Array, sequence: number): Frame {
  return {
    ...encodedPicture(bytes),
    sequence,
    camera: `picture ${sequence}`,
    capturedAt: systemClock.now(),
    time: systemClock.wall(),
  };
}
