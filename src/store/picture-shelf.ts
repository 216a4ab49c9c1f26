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
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { makeFolder } from '../make-folder.js';
import { pictureFolder } from './pictures.js';

/** What a picture of an event is of, kept inside the file as a JPEG comment. */
export interface PictureNote {
  readonly label: string;
  readonly score: number;
  /** Wall time of the frame, ms. */
  readonly time: number;
  /** Of the frame, pixels: what the box is measured in, however small the picture was made. */
  readonly width: number;
  readonly height: number;
  readonly box: readonly [number, number, number, number] | null;
}

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

/** Start of a JPEG, and the marker of a comment (ITU-T T.81, B.1.1.3). */
const SOI = Buffer.from([0xff, 0xd8]);
const COM = 0xfe;
const MAX_NOTE = 4096;
const MAX_JPEG = 4_000_000;
const ID = /^[\w-]{1,64}$/;
const DAY_MS = 86_400_000;
/** What a sweep may do at a time, ms. */
const STEP_MS = 5;
/** A picture younger than this may be of an event that is still on its way into the database, ms. */
const ORPHAN_MS = 600_000;

/** Pictures of events in the state folder, one file an event, written whole or not at all. */
export class PictureShelf {
  readonly #folder: string;
  #written = 0;

  /** @param stateDir folder of the database */
  constructor(stateDir: string) {
    this.#folder = pictureFolder(stateDir);
    makeFolder(this.#folder, 0o700);
    chmodSync(this.#folder, 0o700);
  }

  /** Bytes written since the start. */
  get written(): number {
    return this.#written;
  }

  /** Puts a picture in the place of an earlier one. Rejects with what the disk says. */
  async write(id: string, jpeg: Uint8Array, note: PictureNote): Promise<void> {
    const bytes = withNote(jpeg, note);
    const file = this.fileOf(id);
    const part = `${file}.part`;
    try {
      await writeFile(part, bytes, { mode: 0o600 });
      await rename(part, file);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
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
      if (name.endsWith('.part')) rmSync(join(this.#folder, name), { force: true });
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
    if (ID.test(id)) await rm(this.fileOf(id), { force: true });
  }

  /**
   * Removes what is too old or too much (the oldest first), what belongs to no event, and what a kill
   * left half written.
   *
   * @param exists whether an event is in the database
   */
  async sweep(
    { days, maxBytes }: ShelfBounds,
    exists: (id: string) => boolean,
    now: number,
  ): Promise<PictureSweep> {
    const files: { readonly name: string; readonly stats: Stats }[] = [];
    for (const name of await readdir(this.#folder)) {
      const stats = await stat(join(this.#folder, name)).catch(() => null);
      if (stats?.isFile()) files.push({ name, stats });
    }
    files.sort((a, b) => b.stats.mtimeMs - a.stats.mtimeMs);
    let bytes = 0;
    let kept = 0;
    let began = performance.now();
    for (const { name, stats } of files) {
      // Asking the database holds up whoever writes to it.
      if (performance.now() - began > STEP_MS) {
        await setImmediate();
        began = performance.now();
      }
      const age = now - stats.mtimeMs;
      const id = name.slice(0, name.indexOf('.'));
      const isOrphan = age > ORPHAN_MS && (name.endsWith('.part') || !exists(id));
      if (age <= days * DAY_MS && !isOrphan && bytes + stats.size <= maxBytes) {
        bytes += stats.size;
        kept += 1;
        continue;
      }
      await rm(join(this.#folder, name), { force: true });
    }
    return { removed: files.length - kept, kept, bytes };
  }

  /** Where the picture of an event lies, if it has one. */
  fileOf(id: string): string {
    if (!ID.test(id)) throw new TypeError(`not the id of an event: ${id.slice(0, 70)}`);
    return join(this.#folder, `${id}.jpg`);
  }
}

/** When the frame of the picture of an event was taken, ms; null: none is kept. Reads a few bytes. */
export function pictureTimeOf(stateDir: string, id: string): number | null {
  return pictureTimeIn(pictureFolder(stateDir), id);
}

function pictureTimeIn(folder: string, id: string): number | null {
  if (!ID.test(id)) return null;
  let file: number | null = null;
  try {
    file = openSync(join(folder, `${id}.jpg`), 'r');
    const head = Buffer.alloc(MAX_NOTE + 6);
    return noteOf(head.subarray(0, readSync(file, head)))?.time ?? null;
  } catch {
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}

/** A JPEG with a comment behind its start. */
function withNote(jpeg: Uint8Array, note: PictureNote): Buffer {
  const text = Buffer.from(JSON.stringify(note)).subarray(0, MAX_NOTE);
  const head = Buffer.from([0xff, COM, 0, 0]);
  head.writeUInt16BE(text.length + 2, 2);
  return Buffer.concat([SOI, head, text, jpeg.subarray(2)]);
}

/** The note that {@link withNote} put there; null: another program wrote the file. */
function noteOf(jpeg: Buffer): PictureNote | null {
  if (jpeg.length < 6 || jpeg[2] !== 0xff || jpeg[3] !== COM) return null;
  try {
    const note: unknown = JSON.parse(jpeg.subarray(6, 4 + jpeg.readUInt16BE(4)).toString());
    return isNote(note) ? note : null;
  } catch {
    return null;
  }
}

function isNote(value: unknown): value is PictureNote {
  if (typeof value !== 'object' || value === null) return false;
  const numbers = ['score', 'time', 'width', 'height'];
  const fields = new Map(Object.entries(value));
  return numbers.every((name) => typeof fields.get(name) === 'number');
}
