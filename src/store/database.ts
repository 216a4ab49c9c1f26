import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import SQLite, { type Database } from 'better-sqlite3';
import { codedError, isCodedError, messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { makeFolder } from '../make-folder.js';
import { addonError } from './addon.js';
import { checkVersion, MIGRATIONS, type Migration, migrate } from './migrations.js';

/** Above this a full check takes too long for every start; then only after an unclean end. */
const ALWAYS_CHECKED_BYTES = 64 * 1024 * 1024;
/** Damaged files that are kept; older ones are removed, or they would fill the disk. */
const DAMAGED_FILES_KEPT = 3;
/** Bytes the write-ahead log shrinks to after a checkpoint. */
const JOURNAL_SIZE_LIMIT = 4 * 1024 * 1024;
/** Milliseconds a statement waits for another process's lock. */
export const BUSY_TIMEOUT_MS = 1000;

/** Where the database is in a state folder. */
export function databaseFile(stateDir: string): string {
  return join(stateDir, 'mobilenetd.db');
}

export interface OpenDatabaseOptions {
  readonly file: string;
  readonly log: Log;
  readonly now: () => number;
  readonly migrations?: readonly Migration[];
  /** Check the whole file, however large and however it was closed. */
  readonly suspect?: boolean;
}

/**
 * Opens the database for writing, makes it if it is missing, and brings its schema up to date.
 *
 * A damaged file is renamed to `<file>.corrupt-<time>`, reported, and a fresh one is made. Throws
 * MND_STORE_NEWER, MND_STORE_OPEN (not our database, or no folder can be made), or what SQLite says
 * when the disk is at fault.
 */
export function openDatabase(options: OpenDatabaseOptions): Database {
  makeFolderOf(options.file);
  try {
    return openChecked(options);
  } catch (error) {
    if (!isDamage(error)) throw addonError(error) ?? error;
    setAside(options, messageOf(error).replaceAll(/\s+/g, ' '));
    return openChecked(options);
  }
}

/** Opens the database for reading while the daemon writes. Throws MND_INPUT_MISSING and others. */
export function openForReading(file: string): Database {
  if (!existsSync(file)) {
    throw codedError('MND_INPUT_MISSING', {
      subject: file,
      expected: 'the database of a daemon that has run',
      found: 'no such file',
      next: 'start `mobilenetd run` first, or name its state folder with MOBILENETD_STATE',
    });
  }
  let database: Database | undefined;
  try {
    database = new SQLite(file, {
      readonly: true,
      fileMustExist: true,
      timeout: BUSY_TIMEOUT_MS,
    });
    checkVersion(database, file, MIGRATIONS.length);
    return database;
  } catch (error) {
    database?.close();
    if (isCodedError(error)) throw error;
    const unfit = addonError(error);
    if (unfit !== null) throw unfit;
    const code = isDamage(error) ? 'MND_STORE_CORRUPT' : 'MND_STORE_OPEN';
    throw codedError(code, { subject: file, found: messageOf(error), cause: error });
  }
}

/**
 * What is wrong with a database, looked at while a daemon may use it; null when it is sound. Reads
 * the whole file.
 */
export function verdictOn(file: string): string | null {
  let database: Database | undefined;
  try {
    database = openForReading(file);
    quickCheck(database);
    return null;
  } catch (error) {
    return messageOf(error);
  } finally {
    database?.close();
  }
}

/** True for what SQLite reports of a file that is not, or no longer, a sound database. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}

/** SQLite's name of an error, e.g. `SQLITE_FULL`; empty for other errors. */
export function sqliteCode(error: unknown): string {
  return error instanceof SQLite.SqliteError ? error.code : '';
}

function makeFolderOf(file: string): void {
  try {
    makeFolder(dirname(file));
  } catch (error) {
    throw codedError('MND_STORE_OPEN', {
      subject: file,
      found: messageOf(error),
      next: 'make the folder writable, or set state_dir to another one',
      cause: error,
    });
  }
}

function openChecked(options: OpenDatabaseOptions): Database {
  const { file } = options;
  const unclean = existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0;
  const bytes = existsSync(file) ? statSync(file).size : 0;
  const database = new SQLite(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    // Before anything is changed: the file may be another program's.
    checkVersion(database, file, (options.migrations ?? MIGRATIONS).length);
    // Takes effect only before the first table.
    database.pragma('auto_vacuum = INCREMENTAL');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    database.pragma('foreign_keys = ON');
    database.pragma(`journal_size_limit = ${JOURNAL_SIZE_LIMIT}`);
    if (bytes > 0 && (options.suspect || unclean || bytes <= ALWAYS_CHECKED_BYTES)) {
      quickCheck(database);
    }
    migrate(database, file, options.migrations);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function quickCheck(database: Database): void {
  const verdict = String(database.pragma('quick_check(1)', { simple: true }));
  if (verdict !== 'ok') throw new SQLite.SqliteError(verdict, 'SQLITE_CORRUPT');
}

function setAside(options: OpenDatabaseOptions, reason: string): void {
  const { file, log } = options;
  const stamp = new Date(options.now()).toISOString().replaceAll(/[:.]/g, '-');
  const kept = `${file}.corrupt-${stamp}`;
  renameSync(file, kept);
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(`${file}${suffix}`)) renameSync(`${file}${suffix}`, `${kept}${suffix}`);
  }
  const error = codedError('MND_STORE_CORRUPT', {
    subject: file,
    found: reason,
    next: `it was set aside as ${kept} and a new database begun; past events are in that file`,
  });
  log.error({ code: error.code, file, kept }, error.message);
  removeOldDamaged(file);
}

function removeOldDamaged(file: string): void {
  const prefix = `${basename(file)}.corrupt-`;
  const kept = readdirSync(dirname(file))
    .filter((name) => name.startsWith(prefix) && !/-(wal|shm)$/.test(name))
    .sort();
  for (const name of kept.slice(0, Math.max(0, kept.length - DAMAGED_FILES_KEPT))) {
    for (const suffix of ['', '-wal', '-shm']) {
      rmSync(join(dirname(file), `${name}${suffix}`), { force: true });
    }
  }
}
