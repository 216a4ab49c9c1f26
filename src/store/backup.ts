import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import SQLite, { type Database } from 'better-sqlite3';
import { codedError, isCodedError, messageOf } from '../errors.js';
import { resultFailed } from '../result-file.js';
import { isDamage } from './damage.js';
import type { ExamineAnswer, ExamineRequest } from './examine-copy.js';
import type { Forgetting } from './forget.js';
import { writePartFile } from './part-file.js';
import { openForReading } from './reading.js';

export interface BackupResult {
  readonly file: string;
  readonly events: number;
  readonly bytes: number;
}

export interface BackupOptions {
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
  /** Told of the pages copied, and of how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
  /** What the copy has of the history; absent: all of it. */
  readonly only?: Forgetting;
}

/** Pages copied between two looks at the signal: 4 MB. */
const PAGES_PER_STEP = 1000;

/**
 * Copies the database of a running daemon to a file of its own (mode 0600), whole and at one moment
 * (SQLite's online backup inside one read transaction, so that what is written meanwhile does not
 * begin it anew: https://www.sqlite.org/backup.html), and checks the copy. The file appears under its
 * name only when it is complete.
 *
 * @throws MND_INPUT_MISSING without a database, MND_STORE_CORRUPT, MND_OUTPUT_FAILED, MND_BACKUP_FAILED
 */
export async function backupDatabase(
  file: string,
  target: string,
  options: BackupOptions = {},
): Promise<BackupResult> {
  const database = openForReading(file);
  try {
    return await writePartFile(target, options.overwrite === true, async (part) => {
      await copyPages(database, part, options);
      return { file: target, ...(await examine(part, options)) };
    });
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (isCodedError(cause)) throw cause;
    if (isDamage(cause)) {
      throw codedError('MND_STORE_CORRUPT', {
        subject: file,
        found: messageOf(cause),
        next: '`mobilenetd export FILE.jsonl` saves what can still be read',
        cause,
      });
    }
    if (isFull(cause)) throw resultFailed(target, cause);
    throw codedError('MND_BACKUP_FAILED', { subject: target, found: messageOf(cause), cause });
  } finally {
    database.close();
  }
}

function isFull(error: unknown): boolean {
  return error instanceof SQLite.SqliteError && error.code === 'SQLITE_FULL';
}

async function copyPages(
  database: Database,
  part: string,
  { signal, onProgress }: BackupOptions,
): Promise<void> {
  database.exec('BEGIN');
  // A transaction begins with its first read.
  database.prepare('SELECT count(*) FROM camera').get();
  try {
    await database.backup(part, {
      progress({ totalPages, remainingPages }) {
        if (signal?.aborted) throw signal.reason;
        onProgress?.(totalPages - remainingPages, totalPages);
        return PAGES_PER_STEP;
      },
    });
  } finally {
    database.exec('COMMIT');
  }
}

/**
 * Has a copy examined by a process of its own, which can be ended at any time: SQLite says nothing, and
 * hears nothing, until it has checked all of a file.
 */
async function examine(
  file: string,
  { only, signal }: BackupOptions,
): Promise<{ readonly events: number; readonly bytes: number }> {
  const script = fileURLToPath(new URL('./examine-copy.js', import.meta.url));
  const request: ExamineRequest = { file, only: only ?? null };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [script, JSON.stringify(request)],
    { signal, killSignal: 'SIGKILL' },
  );
  const answer: ExamineAnswer = JSON.parse(stdout);
  if (!answer.ok) throw new SQLite.SqliteError(answer.message, answer.code);
  return { events: answer.events, bytes: answer.bytes };
}
