import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { codedError, messageOf } from '../errors.js';
import { type Log, SILENT } from '../log.js';
import { makeFolder } from '../make-folder.js';
import { errorCodeOf, isPermission } from '../system-error.js';
import { requireSoundAddon } from './addon.js';
import { sqliteCode } from './damage.js';
import { STATE_FOLDER_MODE } from './database.js';
import { forbiddenError } from './forbidden.js';

export interface StateLock {
  release(): void;
}

const FILE = 'lock.db';

/**
 * Takes a state folder for this process: two daemons on one database would end each other's events.
 * The lock is SQLite's own on a file beside the database, so the kernel takes it back from a process
 * that was killed, and none is ever stale. The file has the holder's process id as its
 * `user_version`, which others can read. A disk that takes no lock is reported and does not keep the
 * daemon from running.
 *
 * @throws MND_STORE_ADDON, MND_STATE_LOCKED, MND_STATE_FORBIDDEN when the folder is another user's
 */
export function lockStateFolder(stateDir: string, log: Log = SILENT): StateLock {
  requireSoundAddon();
  let database: SQLite.Database | null = null;
  try {
    makeFolder(stateDir, STATE_FOLDER_MODE);
    database = new SQLite(join(stateDir, FILE), { timeout: 0 });
    take(database);
  } catch (error) {
    if (database !== null && sqliteCode(error) === 'SQLITE_BUSY') {
      throw lockedError(stateDir, database);
    }
    database?.close();
    if (isForbidden(error, stateDir)) throw forbiddenError(stateDir, error);
    log.warn(
      { code: sqliteCode(error) || errorCodeOf(error) },
      `no lock on ${stateDir}, so a second daemon would not be noticed: ${messageOf(error)}`,
    );
    return { release() {} };
  }
  const held = database;
  return { release: () => held.close() };
}

/** A folder that is there and lets this user do nothing: a disk that fails says something else. */
function isForbidden(error: unknown, folder: string): boolean {
  if (isPermission(error)) return true;
  try {
    if (!statSync(folder).isDirectory()) return false;
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return false;
  } catch (found) {
    return isPermission(found);
  }
}

/** A write transaction that stays open; readers are let in. */
function take(database: SQLite.Database): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.pragma(`user_version = ${process.pid}`);
    database.exec('COMMIT');
  } catch {
    // A full disk takes no number, but it takes a lock: whoever comes then is told of a lock.
    if (database.inTransaction) database.exec('ROLLBACK');
  }
  database.exec('BEGIN IMMEDIATE');
}

function lockedError(stateDir: string, database: SQLite.Database): Error {
  const holder = holderOf(database);
  database.close();
  return codedError('MND_STATE_LOCKED', {
    subject: stateDir,
    found: holder === null ? 'a lock' : `process ${holder}`,
    next: 'stop that one first (sudo systemctl stop mobilenetd), or give this one a state_dir of its own',
  });
}

/** Whether a process of this number runs: one that could not write its own left that of the last. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return isPermission(error);
  }
}

function holderOf(database: SQLite.Database): number | null {
  try {
    const found = Number(database.pragma('user_version', { simple: true }));
    return found > 0 && isRunning(found) ? found : null;
  } catch {
    return null;
  }
}
