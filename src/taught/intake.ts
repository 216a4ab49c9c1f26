import { stat } from 'node:fs/promises';
import { codedError } from '../errors.js';
import type { Variant } from '../models/variant.js';
import { nearDuplicate } from '../teach/duplicate.js';
import { type Crop, isMissing } from './crop-files.js';
import type { Embedder } from './embedder.js';
import { EmbeddingCache, embeddingsOf } from './embeddings.js';
import type { SeenCrop } from './heads.js';
import { cropPicture, SMALL_SIDE } from './picture.js';
import type { CropShelf } from './shelf.js';
import { type TaughtTask, taskName } from './task.js';

/** What became of a picture that was offered. */
export interface Offered {
  /** `same`: nearly the picture of one that is kept already. */
  readonly outcome: 'kept' | 'same';
  readonly crop: Crop | null;
  /** Shorter side, pixels. */
  readonly side: number;
  readonly isSmall: boolean;
}

export interface IntakeOptions {
  readonly shelf: CropShelf;
  readonly embedder: Embedder;
  /** By whose embeddings pictures are told apart. */
  readonly variant: Variant;
  readonly task: TaughtTask;
  readonly label: string | null;
  readonly now: () => number;
  /** Of the shelf's `newBatch`: pictures of several labels that come together; default: one of its own. */
  readonly batch?: string;
}

/** What a batch has come to. */
export interface IntakeCounts {
  readonly offered: number;
  readonly kept: number;
  readonly same: number;
  /** Of those that were kept. */
  readonly small: number;
}

/**
 * Takes pictures of one label into the shelf, as one batch: those that are nearly one that is there are
 * refused, so that a head is made of pictures that differ.
 */
export class Intake {
  readonly batch: string;
  readonly #options: IntakeOptions;
  readonly #known: Float32Array[];
  readonly #cache: EmbeddingCache;
  /** All of the task, those that were there before and those of this batch. */
  readonly #seen: SeenCrop[] = [];
  #smallest: number | null = null;
  /** The newest of this batch; null: it has none. */
  #newest: Crop | null = null;
  #counts = { offered: 0, kept: 0, same: 0, small: 0 };

  private constructor(options: IntakeOptions, known: Float32Array[]) {
    this.#options = options;
    this.#known = known;
    this.#cache = new EmbeddingCache(options.shelf.cacheOf(options.task), options.variant);
    this.batch = options.batch ?? options.shelf.newBatch(options.now());
  }

  /** Opens a batch. Throws what embedding throws, for the pictures that are there. */
  static async open(options: IntakeOptions, signal?: AbortSignal): Promise<Intake> {
    const { shelf, embedder, task, label, variant, now } = options;
    await shelf.tidy(now());
    const name = taskName(task);
    const all = (await shelf.list()).filter((crop) => taskName(crop.task) === name);
    const embeddings = await embeddingsOf({ shelf, embedder }, task, all, variant, {
      ...(signal && { signal }),
    });
    const own = embeddings.filter(
      (each, index): each is Float32Array => each !== null && all[index]?.label === label,
    );
    const intake = new Intake(options, own);
    for (const [index, crop] of all.entries()) {
      const embedding = embeddings[index];
      if (!embedding) continue;
      intake.#cache.set(crop.id, embedding);
      intake.#seen.push({ crop, embedding });
    }
    return intake;
  }

  counts(): IntakeCounts {
    return this.#counts;
  }

  /** The pictures of the task with their embeddings, this batch's among them. */
  seen(): readonly SeenCrop[] {
    return this.#seen;
  }

  /** Shorter side of the smallest picture that this batch has kept, pixels; null before there is one. */
  smallest(): number | null {
    return this.#smallest;
  }

  /**
   * Offers a picture of any readable kind.
   *
   * @param subject names it in errors
   * @throws MND_IMAGE_INVALID, MND_TEACH_FULL, MND_TEACH_DISK, MND_TEACH_TAKEN, what embedding throws
   */
  async offer(encoded: Uint8Array, subject: string): Promise<Offered> {
    const { shelf, embedder, variant, task, label } = this.#options;
    const { jpeg, width, height } = await cropPicture(encoded, subject);
    const embedding = await embedder.embed(variant, jpeg);
    const side = Math.min(width, height);
    const isSmall = side < SMALL_SIDE;
    this.#counts.offered += 1;
    if (nearDuplicate(embedding, this.#known)) {
      this.#counts.same += 1;
      return { outcome: 'same', crop: null, side, isSmall };
    }
    await this.requireKept();
    const crop = await shelf.add(task, label, this.batch, jpeg);
    this.#newest = crop;
    this.#known.push(embedding);
    this.#cache.set(crop.id, embedding);
    this.#seen.push({ crop, embedding });
    this.#smallest = Math.min(this.#smallest ?? side, side);
    this.#counts.kept += 1;
    if (isSmall) this.#counts.small += 1;
    return { outcome: 'kept', crop, side, isSmall };
  }

  /**
   * Whoever undoes the last batch, or forgets the label, means this one as well: a part of it would come back
   * with the next picture.
   *
   * @throws MND_TEACH_TAKEN
   */
  async requireKept(): Promise<void> {
    const file = this.#newest?.file;
    const isGone = file !== undefined && (await stat(file).then(() => false, isMissing));
    if (!isGone) return;
    throw codedError('MND_TEACH_TAKEN', {
      found: 'what was taken so far was undone, or its label forgotten',
      next: 'nothing of it is kept; take the pictures again',
    });
  }

  /** Ends it: what was computed is kept for later, where the disk lets it. */
  async close(): Promise<void> {
    if (this.#counts.kept > 0) await this.#keepCache().catch(() => {});
  }

  async #keepCache(): Promise<void> {
    const { shelf, task } = this.#options;
    // Somebody else may have added to the task meanwhile.
    await this.#cache.read();
    const name = taskName(task);
    await this.#cache.write((await shelf.list()).filter((crop) => taskName(crop.task) === name));
  }

  /** Takes all of it back, after an error. */
  async withdraw(): Promise<void> {
    await this.#options.shelf.removeBatch(this.batch);
    this.#counts = { ...this.#counts, kept: 0, small: 0 };
  }
}
