import { codedError, isCodedError, messageOf } from '../errors.js';
import { isDamage, openDatabase, sqliteCode } from './database.js';
import type { Log } from './log.js';
import type { Migration } from './migrations.js';
import type { Retention } from './retention.js';
import type { Schedule } from './schedule.js';
import { createSession, type Session } from './session.js';

const RETRY_MS = 5000;
const REPORT_MS = 60_000;

export interface ReopeningOptions {
  readonly file: string;
  readonly retention: Retention;
  readonly migrations?: readonly Migration[];
  readonly log: Log;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly schedule: Schedule;
  /** Called with every newly opened database. */
  readonly onOpen: (session: Session) => void;
  /** Called when it is time to try again after a failure. */
  readonly onRetry: () => void;
  /** What a report of a failure should say besides. */
  readonly losses: () => object;
}

/** A database that is opened again after its disk has failed. */
export interface Reopening {
  /** Runs `work` on the open database; undefined if that fails, or has failed within 5 s. */
  attempt<T>(work: (session: Session) => T): T | undefined;
  writable(): boolean;
  /** Why the last attempt failed; null if it did not. */
  failure(): string | null;
  /** Makes the next attempt a real one, however short ago the last one failed. */
  hurry(): void;
  close(): void;
}

/**
 * Opens the database. Throws coded errors only (another program's file, a newer schema, no folder);
 * what the disk does is reported at most once a minute and tried again every five seconds.
 */
export function openWithRetries(options: ReopeningOptions): Reopening {
  const { log, monotonic, schedule } = options;
  let session: Session | null = null;
  let suspect = false;
  let failure: string | null = null;
  let retryAt = Number.NEGATIVE_INFINITY;
  let reportedAt = Number.NEGATIVE_INFINITY;

  function open(): Session {
    const { file, migrations, now, retention } = options;
    const database = openDatabase({ file, log, now, suspect, ...(migrations && { migrations }) });
    suspect = false;
    session = createSession(database, retention);
    options.onOpen(session);
    return session;
  }

  function abandon(): void {
    const failed = session;
    session = null;
    try {
      failed?.close();
    } catch (error) {
      log.warn({ file: options.file }, `closing the database failed: ${messageOf(error)}`);
    }
  }

  function fail(error: unknown): void {
    failure = messageOf(error);
    retryAt = monotonic() + RETRY_MS;
    suspect ||= isDamage(error);
    // A file that SQLite opened read-only stays so until it is opened again.
    if (suspect || /^SQLITE_(READONLY|IOERR|CANTOPEN)/.test(sqliteCode(error))) abandon();
    schedule.after('retry', RETRY_MS, () => {
      retryAt = Number.NEGATIVE_INFINITY;
      options.onRetry();
    });
    if (monotonic() - reportedAt < REPORT_MS) return;
    reportedAt = monotonic();
    const coded = codedError('MND_STORE_FAILED', {
      subject: options.file,
      found: failure,
      next: 'check the disk: events wait, detections are dropped, it is tried again every 5 s',
    });
    log.error({ code: coded.code, ...options.losses() }, coded.message);
  }

  try {
    open();
  } catch (error) {
    if (isCodedError(error)) throw error;
    fail(error);
  }

  return {
    attempt(work) {
      if (monotonic() < retryAt) return undefined;
      try {
        const answer = work(session ?? open());
        if (failure !== null) log.info({ file: options.file }, 'the database works again');
        failure = null;
        return answer;
      } catch (error) {
        fail(error);
        return undefined;
      }
    },
    writable: () => failure === null && session !== null,
    failure: () => failure,
    hurry: () => {
      retryAt = Number.NEGATIVE_INFINITY;
    },
    close: abandon,
  };
}
