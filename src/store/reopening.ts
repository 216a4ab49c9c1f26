import { codedError, isCodedError, messageOf } from '../errors.js';
import { createRepeatingLog, type Log, type RepeatingLog } from '../log.js';
import type { Clock } from '../time.js';
import { isDamage, openDatabase, sqliteCode } from './database.js';
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
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Called with every newly opened database. */
  readonly onOpen: (session: Session) => void;
  /** Called when it is time to try again after a failure. */
  readonly onRetry: () => void;
  /** What a report of a failure should say besides. */
  readonly losses: () => Readonly<Record<string, unknown>>;
}

/**
 * A database that is opened again after its disk has failed. What the disk does is reported at most
 * once a minute and tried again every five seconds.
 */
export class Reopening {
  readonly #options: ReopeningOptions;
  readonly #repeating: RepeatingLog;
  #session: Session | null = null;
  #suspect = false;
  #failure: string | null = null;
  #retryAt = Number.NEGATIVE_INFINITY;

  /** Throws coded errors only: another program's file, a newer schema, no folder. */
  constructor(options: ReopeningOptions) {
    const { log, clock } = options;
    this.#options = options;
    this.#repeating = createRepeatingLog(log, { interval: REPORT_MS, clock: () => clock.now() });
    try {
      this.#open();
    } catch (error) {
      if (isCodedError(error)) throw error;
      this.#fail(error);
    }
  }

  /** Runs `work` on the open database; undefined if that fails, or has failed within 5 s. */
  attempt<T>(work: (session: Session) => T): T | undefined {
    const { log, clock, file } = this.#options;
    if (clock.now() < this.#retryAt) return undefined;
    try {
      const answer = work(this.#session ?? this.#open());
      if (this.#failure !== null) log.info({ file }, 'the database works again');
      this.#failure = null;
      return answer;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  writable(): boolean {
    return this.#failure === null && this.#session !== null;
  }

  /** Why the last attempt failed; null if it did not. */
  failure(): string | null {
    return this.#failure;
  }

  /** Makes the next attempt a real one, however short ago the last one failed. */
  hurry(): void {
    this.#retryAt = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    const { log, file } = this.#options;
    const failed = this.#session;
    this.#session = null;
    try {
      failed?.close();
    } catch (error) {
      log.warn({ file }, `closing the database failed: ${messageOf(error)}`);
    }
  }

  #open(): Session {
    const { file, log, clock, migrations, retention, onOpen } = this.#options;
    const now = () => clock.wall();
    const database = openDatabase({
      ...{ file, log, now, suspect: this.#suspect },
      ...(migrations && { migrations }),
    });
    this.#suspect = false;
    this.#session = createSession(database, retention);
    onOpen(this.#session);
    return this.#session;
  }

  #fail(error: unknown): void {
    const { file, clock, schedule, onRetry, losses } = this.#options;
    this.#failure = messageOf(error);
    this.#retryAt = clock.now() + RETRY_MS;
    this.#suspect ||= isDamage(error);
    // A file that SQLite opened read-only stays so until it is opened again.
    if (this.#suspect || /^SQLITE_(READONLY|IOERR|CANTOPEN)/.test(sqliteCode(error))) this.close();
    schedule.after('retry', RETRY_MS, () => {
      this.hurry();
      onRetry();
    });
    const coded = codedError('MND_STORE_FAILED', {
      subject: file,
      found: this.#failure,
      next: 'check the disk: events wait, detections are dropped, it is tried again every 5 s',
    });
    this.#repeating.error('write', coded.message, { code: coded.code, ...losses() });
  }
}
