import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { makeFolder } from '../make-folder.js';
import { type Clock, systemClock } from '../time.js';
import { PictureLedger } from './picture-ledger.js';
import { NOTE_REACH, noteOf, type PictureNote, withNote } from './picture-note.js';
import { pictureFolder } from './pictures.js';

export type { PictureNote } from './picture-note.js';

export interface EventPicture {
  readonly jpeg: Buffer;
  readonly note: PictureNote | null;
}

export interface ShelfBounds {
  /** Days a picture is kept, bytes they may take together. */
  readonly days: number;
  readonly maxBytes: number;
}

export interface PictureSweep {
  readonly removed: number;
  readonly kept: number;
  readonly bytes: number;
}

const PART = '.part';
const MAX_JPEG = 4_000_000;
const ID = /^[\w-]{1,64}$/;
const DAY_MS = 86_400_000;
/** What a sweep may do at a time, ms. */
const STEP_MS = 5;
/** A picture younger than this may be of an event that is still on its way into the database, ms. */
const ORPHAN_MS = 600_000;

/**
 * Pictures of events in the state folder, one file an event, written whole or not at all. Together they never take
 * more than their bound: before one is written, the oldest make room for it.
 */
export class PictureShelf {
  readonly #folder: string;
  readonly #bounds: ShelfBounds;
  readonly #clock: Clock;
  readonly #ledger = new PictureLedger();
  #isCounted = false;
  #looking: Promise<unknown> = Promise.resolve();
  #written = 0;

  /** @param stateDir folder of the database */
  constructor(stateDir: string, bounds: ShelfBounds, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#folder = pictureFolder(stateDir);
    this.#bounds = bounds;
    makeFolder(this.#folder, 0o700);
    chmodSync(this.#folder, 0o700);
  }

  /** Bytes written since the start. */
  get written(): number {
    return this.#written;
  }

  /** Looks what is there, as the first write does otherwise. Rejects with what the disk says. */
  async count(): Promise<void> {
    if (this.#isCounted) return;
    await this.#look();
  }

  /**
   * Puts a picture in the place of an earlier one. Rejects with what the disk says, and for a picture that is
   * larger than all of them may be.
   */
  async write(id: string, jpeg: Uint8Array, note: PictureNote): Promise<void> {
    const bytes = withNote(jpeg, note);
    const file = this.fileOf(id);
    const part = `${file}${PART}`;
    await this.count();
    try {
      await this.#makeRoom(bytes.length, basename(part));
      await writeFile(part, bytes, { mode: 0o600 });
      await rename(part, file);
      this.#ledger.put(basename(file), bytes.length);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    } finally {
      this.#ledger.drop(basename(part));
    }
    this.#written += bytes.length;
  }

  has(id: string): boolean {
    return ID.test(id) && existsSync(this.fileOf(id));
  }

  /** When the frame of an event's picture was taken, ms; null: there is none. Reads a few bytes. */
  timeOf(id: string): number | null {
    return pictureTimeIn(this.#folder, id);
  }

  /** Removes what a kill left half written. Only before anything is written. */
  removeUnfinished(): void {
    for (const name of readdirSync(this.#folder)) {
      if (name.endsWith(PART)) rmSync(join(this.#folder, name), { force: true });
    }
  }

  /** The picture of an event; null: there is none. */
  async read(id: string): Promise<EventPicture | null> {
    if (!ID.test(id)) return null;
    const file = this.fileOf(id);
    const found = await stat(file).catch(() => null);
    if (found === null || !found.isFile() || found.size > MAX_JPEG) return null;
    const jpeg = await readFile(file).catch(() => null);
    return jpeg === null ? null : { jpeg, note: noteOf(jpeg) };
  }

  async remove(id: string): Promise<void> {
    if (ID.test(id)) await this.#removeFile(`${id}.jpg`);
  }

  /**
   * Removes what is too old or too much (the oldest first), what belongs to no event, and what a kill
   * left half written.
   *
   * @param exists whether an event is in the database; null: that cannot be known now, and its picture stays
   * @param now the time that may be believed, ms
   */
  async sweep(exists: (id: string) => boolean | null, now: number): Promise<PictureSweep> {
    const { days, maxBytes } = this.#bounds;
    const files = await this.#look();
    let bytes = 0;
    let kept = 0;
    let began = this.#clock.now();
    for (const { name, stats } of files.reverse()) {
      // Asking the database holds up whoever writes to it.
      if (this.#clock.now() - began > STEP_MS) {
        await setImmediate();
        began = this.#clock.now();
      }
      const age = now - stats.mtimeMs;
      const id = name.slice(0, name.indexOf('.'));
      const isOrphan = age > ORPHAN_MS && (name.endsWith(PART) || exists(id) === false);
      if (age <= days * DAY_MS && !isOrphan && bytes + stats.size <= maxBytes) {
        bytes += stats.size;
        kept += 1;
        continue;
      }
      await this.#removeFile(name);
    }
    return { removed: files.length - kept, kept, bytes };
  }

  /** Where the picture of an event lies, if it has one. */
  fileOf(id: string): string {
    if (!ID.test(id)) throw new TypeError(`not the id of an event: ${id.slice(0, 70)}`);
    return join(this.#folder, `${id}.jpg`);
  }

  /** What is in the folder, the oldest first; the ledger has it afterwards. */
  #look(): Promise<Found[]> {
    const looking = this.#looking.then(() => this.#lookNow());
    this.#looking = looking.catch(() => {});
    return looking;
  }

  async #lookNow(): Promise<Found[]> {
    this.#ledger.beginCount();
    const files: Found[] = [];
    for (const name of await readdir(this.#folder)) {
      const stats = await stat(join(this.#folder, name)).catch(() => null);
      if (stats?.isFile()) files.push({ name, stats });
    }
    files.sort((a, b) => a.stats.mtimeMs - b.stats.mtimeMs);
    this.#ledger.endCount(files.map(({ name, stats }) => ({ name, bytes: stats.size })));
    this.#isCounted = true;
    return files;
  }

  /** Sets room aside for a file that is about to be written. */
  async #makeRoom(bytes: number, part: string): Promise<void> {
    const { maxBytes } = this.#bounds;
    if (bytes > maxBytes) {
      throw new RangeError(
        `a picture of ${bytes} bytes, where all of them may take ${maxBytes} (store.pictures.max_size)`,
      );
    }
    this.#ledger.put(part, bytes);
    for (const name of this.#ledger.names()) {
      if (this.#ledger.bytes <= maxBytes) return;
      // What is being written has its own room.
      if (!name.endsWith(PART)) await this.#removeFile(name);
    }
  }

  async #removeFile(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true });
    this.#ledger.drop(name);
  }
}

interface Found {
  readonly name: string;
  readonly stats: Stats;
}

/** When the frame of the picture of an event was taken, ms; null: none is kept. Reads a few bytes. */
export function pictureTimeOf(stateDir: string, id: string): number | null {
  return pictureTimeIn(pictureFolder(stateDir), id);
}

function pictureTimeIn(folder: string, id: string): number | null {
  if (!ID.test(id)) return null;
  const path = join(folder, `${id}.jpg`);
  // Of a long list most events may have none: asking costs a fifth of an error.
  if (!existsSync(path)) return null;
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    const head = Buffer.alloc(NOTE_REACH);
    return noteOf(head.subarray(0, readSync(file, head)))?.time ?? null;
  } catch {
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}
