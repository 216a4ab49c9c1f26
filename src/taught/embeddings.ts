import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isCodedError } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import type { Variant } from '../models/variant.js';
import { type Crop, writeWhole } from './crop-files.js';
import type { Embedder } from './embedder.js';
import type { CropShelf } from './shelf.js';
import type { TaughtTask } from './task.js';

/** `MNDE`, and the version of the file: embeddings of another one are computed anew. */
const MAGIC = 0x45444e4d;
const VERSION = 1;
const HEADER = 16;
/** Characters of a crop's id: those of a batch, a dash, and a hash. */
const ID = 32;
/** New embeddings after which they are kept, so that a kill costs few of them. */
const KEPT_EVERY = 64;
const MODE = 0o700;

/** What identifies a network and its input in a cache. */
export function networkKey({ sha256, size }: Variant): string {
  return `${sha256.slice(0, 16)}-${size}`;
}

/**
 * Embeddings of a task's crops by one variant, in the order of `crops`: those of an earlier time are read,
 * the others computed and kept. What cannot be read or kept is computed again. Null stands for a crop that
 * was removed meanwhile, or is damaged.
 *
 * @param onDone told of how many there are after each that was computed
 * @throws what embedding throws; the signal's reason
 */
export async function embeddingsOf(
  around: { readonly shelf: CropShelf; readonly embedder: Embedder },
  task: TaughtTask,
  crops: readonly Crop[],
  variant: Variant,
  { signal, onDone = () => {} }: { signal?: AbortSignal; onDone?: (count: number) => void } = {},
): Promise<(Float32Array | null)[]> {
  const cache = new EmbeddingCache(around.shelf.cacheOf(task), variant);
  await cache.read();
  let fresh = 0;
  const found: (Float32Array | null)[] = [];
  try {
    for (const crop of crops) {
      signal?.throwIfAborted();
      const known = cache.get(crop.id);
      if (known !== undefined) {
        found.push(known);
        continue;
      }
      const embedding = await embeddingOf(around, crop, variant);
      found.push(embedding);
      if (embedding === null) continue;
      cache.set(crop.id, embedding);
      fresh += 1;
      onDone(found.length);
      if (fresh % KEPT_EVERY === 0) await cache.write(crops);
    }
  } finally {
    if (fresh % KEPT_EVERY !== 0) await cache.write(crops);
  }
  return found;
}

async function embeddingOf(
  { shelf, embedder }: { readonly shelf: CropShelf; readonly embedder: Embedder },
  crop: Crop,
  variant: Variant,
): Promise<Float32Array | null> {
  const jpeg = await shelf.read(crop).catch(() => null);
  if (jpeg === null) return null;
  try {
    return await embedder.embed(variant, jpeg);
  } catch (error) {
    if (isCodedError(error) && error.code === 'MND_IMAGE_INVALID') return null;
    throw error;
  }
}

/** One file: a header, then id and values of each embedding. */
export class EmbeddingCache {
  readonly #folder: string;
  readonly #file: string;
  readonly #known = new Map<string, Float32Array>();

  constructor(folder: string, variant: Variant) {
    this.#folder = folder;
    this.#file = join(folder, `${networkKey(variant)}.emb`);
  }

  get(id: string): Float32Array | undefined {
    return this.#known.get(id);
  }

  set(id: string, embedding: Float32Array): void {
    this.#known.set(id, embedding);
  }

  async read(): Promise<void> {
    const bytes = await readFile(this.#file).catch(() => null);
    if (bytes === null || bytes.length < HEADER) return;
    const [magic, version] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
    const [dimension, count] = [bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
    const row = ID + 4 * dimension;
    if (magic !== MAGIC || version !== VERSION || bytes.length !== HEADER + count * row) return;
    for (let at = HEADER; at < bytes.length; at += row) {
      const values = bytes.subarray(at + ID, at + row);
      // A copy: the values of a file may lie at any place of the memory.
      const copy = Uint8Array.from(values);
      this.#known.set(bytes.toString('latin1', at, at + ID), new Float32Array(copy.buffer));
    }
  }

  /** Keeps those of the crops there are; a disk that refuses costs time later. */
  async write(crops: readonly Crop[]): Promise<void> {
    const rows = crops.flatMap(({ id }) => {
      const embedding = this.#known.get(id);
      return embedding === undefined ? [] : [[id, embedding] as const];
    });
    const dimension = rows[0]?.[1].length ?? 0;
    const header = Buffer.alloc(HEADER);
    for (const [index, value] of [MAGIC, VERSION, dimension, rows.length].entries()) {
      header.writeUInt32LE(value, 4 * index);
    }
    const parts = rows.flatMap(([id, values]) => [
      Buffer.from(id, 'latin1'),
      Buffer.from(values.buffer, values.byteOffset, values.byteLength),
    ]);
    try {
      makeFolder(this.#folder, MODE);
      await writeWhole(this.#file, Buffer.concat([header, ...parts]));
    } catch {
      await rm(`${this.#file}`, { force: true }).catch(() => {});
    }
  }
}
