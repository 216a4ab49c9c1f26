import { createHash, randomBytes } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { codedError } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import {
  type Crop,
  cropsIn,
  diskError,
  entriesOf,
  isMissing,
  sweepParts,
  writeWhole,
} from './crop-files.js';
import { labelFolder, labelOfFolder, type TaughtTask, taskName, taskNamed } from './task.js';

/** How much may be kept. */
export interface CropBounds {
  readonly maxCrops: number;
  readonly maxBytes: number;
}

/** What a removal took away. */
export interface Removed {
  readonly crops: number;
  readonly labels: readonly (string | null)[];
  readonly tasks: readonly TaughtTask[];
}

/** What there was when it was counted last, and what came since. */
interface Counted {
  crops: number;
  bytes: number;
  /** The batch for which it was counted, and what has been added since. */
  readonly batch: string;
  added: number;
}

const FOLDER = 'teach';
/** What is being removed; whatever is named so counts as gone already. */
const GONE = '.gone-';
/** Crops before the bounds at which each addition counts anew; far from them each so many do. */
const CLOSE = 20;
const MODE = 0o700;
/** More often a folder does not vanish under a crop but is one where nothing can be made. */
const TRIES = 5;

/**
 * What was taught, as files: `<state folder>/teach/<task>/<label>/<batch>-<hash>.jpg`. The name of a file is all
 * that is known of it, and it comes into its place whole, on the disk, by one `rename`: a kill or a power
 * cut leaves a crop or none, two who teach at once never undo each other's work, and there is no index
 * that could be wrong.
 */
export class CropShelf {
  readonly folder: string;
  readonly #bounds: CropBounds;
  /** What there is, as far as this process knows; null: to be counted. */
  #known: Counted | null = null;

  constructor(stateDir: string, bounds: CropBounds) {
    this.folder = join(stateDir, FOLDER);
    this.#bounds = bounds;
  }

  get bounds(): CropBounds {
    return this.#bounds;
  }

  /** Begins a batch: what is added under its name can be undone together. */
  newBatch(now: number): string {
    return `${Math.max(0, Math.floor(now)).toString(36).padStart(9, '0')}${randomBytes(3).toString('hex')}`;
  }

  /** Every crop, by task, label and batch. */
  async list(): Promise<Crop[]> {
    const gone = await this.#undone();
    return (await this.#allFiles()).filter(({ batch }) => !gone.has(batch));
  }

  async read(crop: Crop): Promise<Buffer> {
    return readFile(crop.file);
  }

  /**
   * Keeps a crop; resolves with it when it is on the disk. The same bytes in the same batch are kept once.
   *
   * @param jpeg a whole JPEG
   * @throws MND_TEACH_FULL at the bounds, MND_TEACH_DISK where the disk refuses; nothing has changed then
   */
  async add(
    task: TaughtTask,
    label: string | null,
    batch: string,
    jpeg: Uint8Array,
  ): Promise<Crop> {
    await this.#checkRoom(jpeg.length, batch);
    const folder = join(this.folder, taskName(task), labelFolder(label));
    const id = `${batch}-${createHash('sha256').update(jpeg).digest('hex').slice(0, 16)}`;
    const file = join(folder, `${id}.jpg`);
    try {
      await this.#write(folder, file, jpeg);
    } catch (cause) {
      throw diskError(folder, cause);
    }
    if (this.#known !== null) {
      this.#known.crops += 1;
      this.#known.added += 1;
      this.#known.bytes += jpeg.length;
    }
    return { task, label, id, batch, file, bytes: jpeg.length };
  }

  /** Takes the last batch back; crops 0: there is none. @throws MND_TEACH_DISK */
  async undo(): Promise<Removed> {
    const crops = await this.list();
    const last = crops.reduce((greatest, { batch }) => (batch > greatest ? batch : greatest), '');
    return last === '' ? NOTHING : this.removeBatch(last);
  }

  /** Takes one batch back, all of it or, where the disk fails, as much as the next start finishes. */
  async removeBatch(batch: string): Promise<Removed> {
    const crops = (await this.list()).filter((crop) => crop.batch === batch);
    if (crops.length === 0) return NOTHING;
    const marker = join(this.folder, `${GONE}${batch}`);
    // From here on none of it counts. A disk that is too full even for that lets files be removed.
    await writeWhole(marker, new Uint8Array(0)).catch(() => {});
    await this.#removeFiles(crops);
    await rm(marker, { force: true }).catch(() => {});
    return summaryOf(crops);
  }

  /**
   * Forgets a label of one task, or of every task where it was taught (null).
   *
   * @throws MND_INPUT_MISSING where nothing was taught so; MND_TEACH_DISK
   */
  async forget(label: string | null, task: TaughtTask | null): Promise<Removed> {
    const named = task === null ? null : taskName(task);
    const crops = (await this.list()).filter(
      (crop) => crop.label === label && (named === null || taskName(crop.task) === named),
    );
    if (crops.length === 0) {
      throw codedError('MND_INPUT_MISSING', {
        subject: label === null ? 'pictures of the opposite' : JSON.stringify(label),
        expected: 'a label that was taught',
        next: 'mobilenetd teach --list shows them',
      });
    }
    this.#known = null;
    const tasks = new Map(crops.map((crop) => [taskName(crop.task), crop.task]));
    for (const name of tasks.keys()) {
      const from = join(this.folder, name, labelFolder(label));
      const gone = join(this.folder, `${GONE}${randomBytes(6).toString('hex')}`);
      try {
        await rename(from, gone);
      } catch (cause) {
        throw diskError(from, cause);
      }
      await rm(gone, { recursive: true, force: true }).catch(() => {});
    }
    return summaryOf(crops);
  }

  /** Takes one picture out, by its file. @throws MND_INPUT_MISSING where it is none of ours; MND_TEACH_DISK */
  async drop(file: string): Promise<Removed> {
    const wanted = resolve(file);
    const crops = (await this.list()).filter((crop) => resolve(crop.file) === wanted);
    if (crops.length === 0) {
      throw codedError('MND_INPUT_MISSING', {
        subject: file,
        expected: `a picture that was taught, in ${this.folder}`,
        next: 'mobilenetd teach --report names pictures',
      });
    }
    await this.#removeFiles(crops);
    return summaryOf(crops);
  }

  /** Where what is computed of a task's crops is kept; it can be removed at any time. */
  cacheOf(task: TaughtTask): string {
    return join(this.folder, taskName(task), '.cache');
  }

  /** Finishes removals that were cut short, and removes what a kill left half written. */
  async tidy(now: number): Promise<void> {
    const undone = await this.#undone();
    if (undone.size > 0) {
      const all = await this.#allFiles();
      await this.#removeFiles(all.filter(({ batch }) => undone.has(batch)));
    }
    for (const { name } of await entriesOf(this.folder)) {
      if (name.startsWith(GONE))
        await rm(join(this.folder, name), { recursive: true, force: true });
    }
    for (const { folder } of await this.#tasks()) {
      for (const { name } of await entriesOf(folder)) await sweepParts(join(folder, name), now);
    }
    await sweepParts(this.folder, now);
  }

  /** Another teacher may forget the label at this moment: its folder is made once more then. */
  async #write(folder: string, file: string, jpeg: Uint8Array): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        makeFolder(folder, MODE);
        await writeWhole(file, jpeg);
        return;
      } catch (error) {
        if (!isMissing(error) || tries >= TRIES) throw error;
      }
    }
  }

  async #count(): Promise<{ crops: number; bytes: number }> {
    const crops = await this.list();
    return { crops: crops.length, bytes: crops.reduce((sum, crop) => sum + crop.bytes, 0) };
  }

  /** Counts anew near the bounds, for each batch and now and then: others may have added, too. */
  async #checkRoom(more: number, batch: string): Promise<void> {
    const { maxCrops, maxBytes } = this.#bounds;
    const fits = ({ crops, bytes }: { crops: number; bytes: number }, room: number) =>
      crops + room < maxCrops && bytes + more * (room + 1) <= maxBytes;
    const isFresh = this.#known?.batch === batch && this.#known.added < CLOSE;
    if (this.#known !== null && isFresh && fits(this.#known, CLOSE)) return;
    this.#known = { ...(await this.#count()), batch, added: 0 };
    if (fits(this.#known, 0)) return;
    const { crops, bytes } = this.#known;
    throw codedError('MND_TEACH_FULL', {
      expected: `at most ${maxCrops} pictures and ${Math.round(maxBytes / 1e6)} MB of them`,
      found: `${crops} and ${Math.round(bytes / 1e6)} MB`,
      next: 'forget a label (mobilenetd teach --forget LABEL), or raise teach.max_crops or teach.max_size',
    });
  }

  async #removeFiles(crops: readonly Crop[]): Promise<void> {
    this.#known = null;
    for (const { file } of crops) {
      try {
        await rm(file, { force: true });
      } catch (cause) {
        throw diskError(file, cause);
      }
    }
  }

  async #allFiles(): Promise<Crop[]> {
    const crops: Crop[] = [];
    for (const { task, folder } of await this.#tasks()) {
      for (const { name } of await entriesOf(folder)) {
        const label = labelOfFolder(name);
        if (label !== undefined) crops.push(...(await cropsIn(task, label, join(folder, name))));
      }
    }
    return crops;
  }

  /** Batches that are being taken back. */
  async #undone(): Promise<Set<string>> {
    const entries = await entriesOf(this.folder);
    return new Set(
      entries.flatMap(({ name }) => (name.startsWith(GONE) ? [name.slice(GONE.length)] : [])),
    );
  }

  async #tasks(): Promise<{ readonly task: TaughtTask; readonly folder: string }[]> {
    const entries = await entriesOf(this.folder);
    return entries.flatMap((entry) => {
      const task = entry.isDirectory() ? taskNamed(entry.name) : null;
      return task === null ? [] : [{ task, folder: join(this.folder, entry.name) }];
    });
  }
}

const NOTHING: Removed = { crops: 0, labels: [], tasks: [] };

function summaryOf(crops: readonly Crop[]): Removed {
  const tasks = new Map(crops.map(({ task }) => [taskName(task), task]));
  return {
    crops: crops.length,
    labels: [...new Set(crops.map(({ label }) => label))],
    tasks: [...tasks.values()],
  };
}
