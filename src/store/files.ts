import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';

/**
 * What can happen to the files of an open database from outside: the file is gone, another stands in
 * its place, its bytes were written over, or the write-ahead log or its index is gone, cut short or
 * written over.
 */
export type Harm = 'removed' | 'replaced' | 'overwritten' | 'log lost' | 'log overwritten';

/** First bytes of a write-ahead log, big-endian (https://www.sqlite.org/fileformat2.html, 4.1). */
const LOG_MAGIC: readonly number[] = [0x377f0682, 0x377f0683];

interface Identity {
  readonly dev: number;
  readonly ino: number;
}

/** Bytes of a database on the disk, with its write-ahead log; 0 where there is none. */
export function databaseBytes(file: string): number {
  return (look(file)?.size ?? 0) + (look(`${file}-wal`)?.size ?? 0);
}

/**
 * The files that an open connection writes to, and whether they are still those of its path. SQLite
 * itself never looks: it would go on writing to a file that nobody can find any more.
 *
 * The stamp is a row in a page of its own that is written anew before every checkpoint. A page that
 * has neither the newest stamp nor the one before was put there by somebody else.
 */
export class DatabaseFiles {
  readonly #file: string;
  readonly #descriptor: number;
  readonly #main: Identity;
  readonly #log: Identity | null;
  readonly #index: Identity | null;
  /** Where the page of the stamp is, in bytes; null: no stamp could be written. */
  readonly #page: { readonly offset: number; readonly size: number } | null;
  #stamps: readonly string[] = [];
  #logDescriptor: number | null = null;
  /** Bytes of the write-ahead log after our last work. */
  #logBytes = 0;

  constructor(file: string, page: { readonly offset: number; readonly size: number } | null) {
    this.#file = file;
    // Stays open as long as the connection: closing it would drop SQLite's locks.
    this.#descriptor = openSync(file, 'r');
    this.#main = fstatSync(this.#descriptor);
    this.#log = look(`${file}-wal`);
    this.#index = look(`${file}-shm`);
    this.#page = page;
    this.settled();
  }

  /** A stamp was written; whether it has reached the file is not known. */
  stamped(value: string): void {
    this.#stamps = [value, ...this.#stamps].slice(0, 2);
  }

  /** Our own work is done: what the files are now is as it should be. Returns the log's bytes. */
  settled(): number {
    this.#logBytes = look(`${this.#file}-wal`)?.size ?? 0;
    // All of an empty log has reached the file.
    if (this.#logBytes === 0) this.#stamps = this.#stamps.slice(0, 1);
    return this.#logBytes;
  }

  /** What has happened to the files since; null when they are as we left them. */
  harm(): Harm | null {
    const main = look(this.#file);
    if (main === null) return 'removed';
    if (!same(main, this.#main)) return 'replaced';
    if (this.#isOverwritten()) return 'overwritten';
    const log = look(`${this.#file}-wal`);
    if (this.#log !== null && (log === null || !same(log, this.#log))) return 'log lost';
    if ((log?.size ?? 0) < this.#logBytes) return 'log lost';
    if (log !== null && log.size > 0 && !this.#hasLogHeader()) return 'log overwritten';
    const index = look(`${this.#file}-shm`);
    if (this.#index !== null && (index === null || !same(index, this.#index))) return 'log lost';
    return null;
  }

  /** Whether the log at the path is the one that the connection writes to. */
  hasOwnLog(): boolean {
    const log = look(`${this.#file}-wal`);
    return log !== null && this.#log !== null && same(log, this.#log);
  }

  /** After the connection was closed. */
  close(): void {
    closeSync(this.#descriptor);
    if (this.#logDescriptor !== null) closeSync(this.#logDescriptor);
    this.#logDescriptor = null;
  }

  /** SQLite takes pages out of its log by their place alone, whatever stands there by now. */
  #hasLogHeader(): boolean {
    this.#logDescriptor ??= openSync(`${this.#file}-wal`, 'r');
    const magic = Buffer.alloc(4);
    readSync(this.#logDescriptor, magic, 0, 4, 0);
    return LOG_MAGIC.includes(magic.readUInt32BE());
  }

  #isOverwritten(): boolean {
    if (this.#page === null || this.#stamps.length === 0) return false;
    const bytes = Buffer.alloc(this.#page.size);
    readSync(this.#descriptor, bytes, 0, bytes.length, this.#page.offset);
    return !this.#stamps.some((stamp) => bytes.includes(stamp));
  }
}

function look(file: string): Stats | null {
  return statSync(file, { throwIfNoEntry: false }) ?? null;
}

function same(a: Identity, b: Identity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}
