import { existsSync } from 'node:fs';
import SQLite, { type Database } from 'better-sqlite3';
import { codedError, isCodedError, messageOf } from '../errors.js';
import { addonError } from './addon.js';
import { isDamage } from './damage.js';
import { BUSY_TIMEOUT_MS, quickCheck } from './database.js';
import { checkVersion, MIGRATIONS } from './migrations.js';

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
