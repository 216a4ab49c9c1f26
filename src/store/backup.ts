import { existsSync, renameSync, rmSync } from 'node:fs';
import SQLite from 'better-sqlite3';
import { codedError, messageOf } from '../errors.js';
import { openForReading } from './reading.js';

export interface BackupResult {
  readonly file: string;
  readonly events: number;
  readonly bytes: number;
}

/**
 * Copies the database of a running daemon to a file of its own, whole and at one moment (SQLite's
 * online backup: https://www.sqlite.org/backup.html), and checks the copy. The file appears under its
 * name only when it is complete.
 *
 * @throws MND_INPUT_MISSING without a database, MND_BACKUP_FAILED
 */
export async function backupDatabase(
  file: string,
  target: string,
  options: { readonly overwrite?: boolean } = {},
): Promise<BackupResult> {
  if (existsSync(target) && options.overwrite !== true) {
    throw codedError('MND_BACKUP_FAILED', {
      subject: target,
      expected: 'a new file',
      found: 'one that exists',
      next: 'name another, or add --force',
    });
  }
  const database = openForReading(file);
  const part = `${target}.part`;
  try {
    rmSync(part, { force: true });
    await database.backup(part);
    const result = examine(part);
    renameSync(part, target);
    return { file: target, ...result };
  } catch (cause) {
    throw codedError('MND_BACKUP_FAILED', { subject: target, found: messageOf(cause), cause });
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${part}${suffix}`, { force: true });
    database.close();
  }
}

function examine(file: string): { readonly events: number; readonly bytes: number } {
  const copy = new SQLite(file);
  try {
    // One file that needs no companion: whoever takes it away takes all of it.
    copy.pragma('journal_mode = DELETE');
    const verdict = String(copy.pragma('quick_check(1)', { simple: true }));
    if (verdict !== 'ok') throw new Error(`the copy is damaged: ${verdict}`);
    const events = Number(copy.prepare('SELECT count(*) FROM event').pluck().get());
    const pages = Number(copy.pragma('page_count', { simple: true }));
    return { events, bytes: pages * Number(copy.pragma('page_size', { simple: true })) };
  } finally {
    copy.close();
  }
}
