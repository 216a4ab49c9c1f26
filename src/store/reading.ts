import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SQLite, { type Database } from 'better-sqlite3';
import { codedError, isCodedError, messageOf } from '../errors.js';
import { isPermission } from '../system-error.js';
import { addonError, requireSoundAddon } from './addon.js';
import { isDamage, sqliteCode } from './damage.js';
import { BUSY_TIMEOUT_MS, quickCheck } from './database.js';
import { forbiddenError } from './forbidden.js';
import { checkVersion, MIGRATIONS } from './migrations.js';

/**
 * Opens the database for reading while the daemon writes. Where its folder cannot be written (a
 * read-only card, another user's), which SQLite needs beside a write-ahead log, a copy in the temporary
 * folder is opened, which `close` removes.
 *
 * @throws MND_INPUT_MISSING, MND_STORE_OPEN, MND_STORE_CORRUPT, MND_STORE_NEWER, MND_STORE_ADDON
 */
export function openForReading(file: string): Database {
  requireSoundAddon();
  requireReadable(file);
  try {
    return openSound(file);
  } catch (error) {
    if (!/^SQLITE_(CANTOPEN|READONLY)/.test(sqliteCode(error))) throw asCoded(error, file);
  }
  try {
    return openCopy(file);
  } catch (error) {
    throw asCoded(error, file);
  }
}

/** How far the schema of a database is behind this version's; 0 for one that cannot be read. */
export function stepsBehind(file: string): number {
  let database: Database | undefined;
  try {
    database = openForReading(file);
    return MIGRATIONS.length - Number(database.pragma('user_version', { simple: true }));
  } catch {
    return 0;
  } finally {
    database?.close();
  }
}

/** What a daemon remembers, by key, looked at while it may use the database; nothing where there is none. */
export function rememberedSettings(file: string): { get(key: string): string | null } {
  let database: Database | undefined;
  const found = new Map<string, string>();
  try {
    database = openForReading(file);
    const rows = database.prepare('SELECT key, value FROM setting').all();
    for (const { key, value } of rows as { key: string; value: string }[]) found.set(key, value);
  } catch {
    // Another check says what is wrong with it.
  } finally {
    database?.close();
  }
  return { get: (key) => found.get(key) ?? null };
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

function openSound(file: string): Database {
  const database = new SQLite(file, {
    readonly: true,
    fileMustExist: true,
    timeout: BUSY_TIMEOUT_MS,
  });
  try {
    const version = checkVersion(database, file, MIGRATIONS.length);
    if (version === 0) throw emptyError(file);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function openCopy(file: string): Database {
  const bytes = [file, `${file}-wal`]
    .filter((path) => existsSync(path))
    .reduce((sum, path) => sum + statSync(path).size, 0);
  const { bavail, bsize } = statfsSync(tmpdir());
  if (bavail * bsize < bytes * 1.1) {
    throw codedError('MND_STORE_OPEN', {
      subject: file,
      expected: `${Math.ceil(bytes / 1e6)} MB free in ${tmpdir()} for a copy, since its folder cannot be written`,
      found: `${Math.floor((bavail * bsize) / 1e6)} MB`,
      next: 'name a larger place with TMPDIR',
    });
  }
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-read-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, 'mobilenetd.db');
    copyFileSync(file, copy);
    if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${copy}-wal`);
    const database = openSound(copy);
    const close = database.close.bind(database);
    database.close = () => {
      process.off('exit', remove);
      const closed = close();
      remove();
      return closed;
    };
    process.on('exit', remove);
    return database;
  } catch (error) {
    remove();
    throw error;
  }
}

function requireReadable(file: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    if (isPermission(error)) throw forbiddenError(file, error);
    throw codedError('MND_INPUT_MISSING', {
      subject: file,
      expected: 'the database of a daemon that has run',
      found: 'no such file',
      next: 'start `mobilenetd run` first, or name its state folder with MOBILENETD_STATE',
      cause: error,
    });
  }
}

function emptyError(file: string): Error {
  return codedError('MND_STORE_OPEN', {
    subject: file,
    expected: 'the tables of mobilenetd',
    found: 'none',
    next: 'start the daemon once: it makes them',
  });
}

function asCoded(error: unknown, file: string): unknown {
  if (isCodedError(error)) return error;
  const unfit = addonError(error);
  if (unfit !== null) return unfit;
  if (isPermission(error)) return forbiddenError(file, error);
  const code = isDamage(error) ? 'MND_STORE_CORRUPT' : 'MND_STORE_OPEN';
  return codedError(code, { subject: file, found: messageOf(error), cause: error });
}
