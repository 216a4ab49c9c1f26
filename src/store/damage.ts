import { closeSync, openSync, readSync } from 'node:fs';
import SQLite from 'better-sqlite3';

/** What SQLite says, under a code for many things, of a file whose bytes have changed. */
const WORDS =
  /unsupported file format|already exists|duplicate column|malformed|has no column named|no such column|no such table: (main\.)?(camera|label|variant|event|detection|outbox|setting|governor|stamp)\b/;

/** True for what SQLite reports of a file that is not, or no longer, a sound database. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return true;
  return code === 'SQLITE_ERROR' && WORDS.test((error as Error).message);
}

/** SQLite's name of an error, e.g. `SQLITE_FULL`; empty for other errors. */
export function sqliteCode(error: unknown): string {
  return error instanceof SQLite.SqliteError ? error.code : '';
}

/** Damage for which SQLite has other words. */
export function damageError(found: string): Error {
  return new SQLite.SqliteError(found, 'SQLITE_CORRUPT');
}

/**
 * What of a file's header no SQLite database has; null when it is sound or there is none. SQLite takes
 * some of it for a file that may only be read (https://www.sqlite.org/fileformat2.html, 1.3).
 *
 * Not for a file that this process has open: closing a descriptor drops SQLite's locks.
 */
export function headerFault(file: string): string | null {
  const header = Buffer.alloc(100);
  try {
    const descriptor = openSync(file, 'r');
    try {
      if (readSync(descriptor, header, 0, 100, 0) === 0) return null;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return null;
  }
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0') return 'no header of SQLite';
  const writing = header.readUInt8(18);
  const reading = header.readUInt8(19);
  const pageSize = header.readUInt16BE(16);
  const schema = header.readUInt32BE(44);
  const encoding = header.readUInt32BE(56);
  const powerOfTwo = pageSize === 1 || (pageSize >= 512 && (pageSize & (pageSize - 1)) === 0);
  if (![1, 2].includes(writing) || ![1, 2].includes(reading)) {
    return `the header says file format ${writing}, ${reading}`;
  }
  if (!powerOfTwo) return `the header says pages of ${pageSize} bytes`;
  if (schema > 4) return `the header says schema format ${schema}`;
  if (encoding > 3) return `the header says text encoding ${encoding}`;
  return null;
}
