import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import SQLite, { type Database } from 'better-sqlite3';
import { codedError, messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { makeFolder } from '../make-folder.js';
import { isPermission } from '../system-error.js';
import { addonError, requireSoundAddon } from './addon.js';
import { damageError, headerFault, isDamage, sqliteCode } from './damage.js';
import { forbiddenError } from './forbidden.js';
import { checkVersion, MIGRATIONS, type Migration, migrate } from './migrations.js';
import { LONGEST_PATH } from './path.js';

/** Above this a full check takes too long for every start; then only after an unclean end. */
const ALWAYS_CHECKED_BYTES = 64 * 1024 * 1024;
/** Damaged files that are kept; older ones are removed, or they would fill the disk. */
const DAMAGED_FILES_KEPT = 3;
/** Bytes the write-ahead log shrinks to after a checkpoint, and at which one is made. */
export const JOURNAL_SIZE_LIMIT = 4 * 1024 * 1024;
/** Pages at which SQLite makes a checkpoint by itself: only where a slow reader hindered ours. */
const LAST_CHECKPOINT_PAGES = 8000;
/** What the daemon keeps is nobody else's; a folder that is there keeps the mode it has. */
export const STATE_FOLDER_MODE = 0o700;
/** Milliseconds a statement waits for another process's lock. */
export const BUSY_TIMEOUT_MS = 1000;

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
 * `build` makes of it what it is opened for; what fails in it for damage counts as well.
 *
 * A damaged file is renamed to `<file>.corrupt-<time>`, reported, and a fresh one is made. Throws
 * MND_STORE_NEWER, MND_STORE_OPEN (not our database, or no folder can be made), or what SQLite says
 * when the disk is at fault.
 */
export function openDatabase<T>(options: OpenDatabaseOptions, build: (database: Database) => T): T {
  requireSoundAddon();
  requireShortPath(options.file);
  makeFolderOf(options.file);
  try {
    return openChecked(options, build);
  } catch (error) {
    const found = damageIn(error, options.file);
    if (found === null) throw addonError(error) ?? error;
    setAside(options, found);
    return openChecked(options, build);
  }
}

/** What is wrong with the file, in words; null when the error is not about damage. */
function damageIn(error: unknown, file: string): string | null {
  if (isDamage(error)) return messageOf(error).replaceAll(/\s+/g, ' ');
  // A damaged header is read-only, of an unknown format, or not to be opened.
  return /^SQLITE_(READONLY|ERROR|CANTOPEN)/.test(sqliteCode(error)) ? headerFault(file) : null;
}

function requireShortPath(file: string): void {
  const path = resolve(file);
  const bytes = Buffer.byteLength(path);
  if (bytes <= LONGEST_PATH) return;
  throw codedError('MND_STORE_OPEN', {
    subject: `${path.slice(0, 60)}…`,
    expected: `a path of at most ${LONGEST_PATH} bytes, which is all that SQLite takes`,
    found: `${bytes} bytes`,
    next: 'give state_dir a shorter one',
  });
}

function makeFolderOf(file: string): void {
  try {
    makeFolder(dirname(file), STATE_FOLDER_MODE);
  } catch (error) {
    if (isPermission(error)) throw forbiddenError(file, error);
    throw codedError('MND_STORE_OPEN', {
      subject: file,
      found: messageOf(error),
      next: 'make the folder writable, or set state_dir to another one',
      cause: error,
    });
  }
}

function openChecked<T>(options: OpenDatabaseOptions, build: (database: Database) => T): T {
  const { file } = options;
  const unclean = existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0;
  const bytes = existsSync(file) ? statSync(file).size : 0;
  makePrivate(file);
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
    database.pragma(`wal_autocheckpoint = ${LAST_CHECKPOINT_PAGES}`);
    if (bytes > 0 && (options.suspect || unclean || bytes <= ALWAYS_CHECKED_BYTES)) {
      quickCheck(database);
    }
    migrate(database, file, options.log, options.migrations);
    return build(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A new file is its owner's alone; SQLite gives its companions the same mode. */
function makePrivate(file: string): void {
  if (existsSync(file)) return;
  try {
    closeSync(openSync(file, 'a', 0o600));
  } catch {
    // SQLite says what is wrong with the place.
  }
}

/** Throws SQLITE_CORRUPT with what is wrong. */
export function quickCheck(database: Database): void {
  const verdict = String(database.pragma('quick_check(1)', { simple: true }));
  if (verdict !== 'ok') throw damageError(verdict);
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
