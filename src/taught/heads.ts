import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { codedError, messageOf } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import type { Variant } from '../models/variant.js';
import { headFromJson } from '../teach/serialise.js';
import { type Crop, writeWhole } from './crop-files.js';
import type { Embedder } from './embedder.js';
import { embeddingsOf, networkKey } from './embeddings.js';
import type { CropShelf } from './shelf.js';
import type { TaughtTask } from './task.js';
import type { TrainedHead, TrainingAnswer, TrainingInput } from './trained.js';

/** What heads are made with. */
export interface HeadSurroundings {
  readonly shelf: CropShelf;
  readonly embedder: Embedder;
  /** Embeddings of unrelated pictures by a variant; none where no bank fits. */
  readonly negatives: (variant: Variant) => Promise<readonly Float32Array[]>;
}

export interface HeadOptions {
  readonly signal?: AbortSignal;
  /** Told of how many crops have an embedding, after each that was computed. */
  readonly onEmbedded?: (count: number) => void;
}

/** Heads of an earlier way of making them are made anew. */
const VERSION = 4;
const MODE = 0o700;

/**
 * The head of a task for one variant: of an earlier time where it was made of the same pictures, else made
 * now. Embeddings are computed by the embedder's engine, the head in a thread of its own.
 *
 * @param crops of the task, at least one of a label
 * @throws MND_TEACH_INVALID where nothing can be made of them; what embedding throws; the signal's reason
 */
export async function headOf(
  around: HeadSurroundings,
  task: TaughtTask,
  crops: readonly Crop[],
  variant: Variant,
  { signal, onEmbedded }: HeadOptions = {},
): Promise<TrainedHead> {
  const negatives = await around.negatives(variant);
  const file = join(around.shelf.cacheOf(task), `${networkKey(variant)}.head.json`);
  const key = contentKey(crops, negatives, variant);
  const kept = await readHead(file, key);
  if (kept !== null) return kept;
  const embeddings = await embeddingsOf(around, task, crops, variant, {
    ...(signal && { signal }),
    ...(onEmbedded && { onDone: onEmbedded }),
  });
  const seen = crops.flatMap((crop, index) => {
    const embedding = embeddings[index] ?? null;
    return embedding === null ? [] : [{ crop, embedding }];
  });
  requireLabels(seen);
  const trained = await train(seen, negatives, signal);
  try {
    makeFolder(around.shelf.cacheOf(task), MODE);
    await writeWhole(file, Buffer.from(JSON.stringify({ key, ...trained })));
  } catch {
    // A disk that refuses costs time at the next start.
  }
  return read(trained);
}

/** The head of a task that an earlier time made of the same pictures; null: it is to be made. */
export async function keptHead(
  shelf: CropShelf,
  { task, crops }: { readonly task: TaughtTask; readonly crops: readonly Crop[] },
  negatives: readonly Float32Array[],
  variant: Variant,
): Promise<TrainedHead | null> {
  const file = join(shelf.cacheOf(task), `${networkKey(variant)}.head.json`);
  return readHead(file, contentKey(crops, negatives, variant));
}

/** A picture with its embedding. */
export interface SeenCrop {
  readonly crop: Pick<Crop, 'id' | 'label'>;
  readonly embedding: Float32Array;
}

/**
 * What a head of pictures would be worth, without keeping it.
 *
 * @param seen at least one of a label
 * @throws MND_TEACH_INVALID where nothing can be made of them; the signal's reason
 */
export async function worthOf(
  seen: readonly SeenCrop[],
  negatives: readonly Float32Array[],
  signal?: AbortSignal,
): Promise<Omit<TrainedHead, 'head'>> {
  requireLabels(seen);
  const { report, quality } = await train(seen, negatives, signal);
  return { report, quality };
}

/** The same crops, network and bank give the same head. */
function contentKey(
  crops: readonly Crop[],
  negatives: readonly Float32Array[],
  variant: Variant,
): string {
  const hash = createHash('sha256').update(`${VERSION} ${networkKey(variant)}`);
  hash.update(` ${negatives.length}`);
  const [first] = negatives;
  if (first !== undefined)
    hash.update(Buffer.from(first.buffer, first.byteOffset, first.byteLength));
  for (const { id, label } of crops) hash.update(`\n${id} ${JSON.stringify(label)}`);
  return hash.digest('hex');
}

async function readHead(file: string, key: string): Promise<TrainedHead | null> {
  try {
    const kept: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof kept !== 'object' || kept === null || !('key' in kept) || kept.key !== key)
      return null;
    return read(kept as unknown as Made);
  } catch {
    return null;
  }
}

type Made = Omit<Extract<TrainingAnswer, { ok: true }>, 'ok'>;

function read({ head, report, quality }: Made): TrainedHead {
  return { head: headFromJson(head), report, quality };
}

/** In a thread of its own: of 2000 pictures it takes a while. */
async function train(
  seen: readonly SeenCrop[],
  negatives: readonly Float32Array[],
  signal: AbortSignal | undefined,
): Promise<Made> {
  const embeddings = seen.map(({ embedding }) => embedding);
  const dimension = embeddings[0]?.length ?? 1;
  const workerData: TrainingInput = {
    labels: seen.map(({ crop }) => crop.label),
    ids: seen.map(({ crop }) => crop.id),
    dimension,
    examples: together(embeddings, dimension),
    negatives: together(
      negatives.filter(({ length }) => length === dimension),
      dimension,
    ),
  };
  signal?.throwIfAborted();
  const worker = new Worker(new URL('./train-worker.js', import.meta.url), {
    workerData,
    name: 'teach',
  });
  const end = () => void worker.terminate();
  signal?.addEventListener('abort', end, { once: true });
  try {
    const answer = await new Promise<TrainingAnswer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', (error) => reject(failed(messageOf(error))));
      worker.once('exit', () => reject(failed('it ended without an answer')));
    });
    if (!answer.ok) throw failed(answer.message);
    const { ok: _ok, ...made } = answer;
    return made;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', end);
    await worker.terminate();
  }
}

function together(rows: readonly Float32Array[], dimension: number): Float32Array {
  const all = new Float32Array(rows.length * dimension);
  for (const [index, row] of rows.entries()) all.set(row, index * dimension);
  return all;
}

function failed(found: string): Error {
  return codedError('MND_TEACH_INVALID', { subject: 'the head of what was taught', found });
}

/** @throws MND_TEACH_INVALID where there is nothing of a label that could be told */
function requireLabels(seen: readonly SeenCrop[]): void {
  if (seen.some(({ crop }) => crop.label !== null)) return;
  throw codedError('MND_TEACH_INVALID', {
    expected: 'pictures of a label',
    found: seen.length === 0 ? 'none' : 'pictures of the opposite alone',
    next: 'mobilenetd teach LABEL --from FOLDER',
  });
}
