import { randomUUID } from 'node:crypto';
import { codedError, isCodedError, messageOf } from '../errors.js';
import { createRepeatingLog, type Log, type RepeatingLog } from '../log.js';
import type { Clock } from '../time.js';
import { isDamage, sqliteCode } from './damage.js';
import { JOURNAL_SIZE_LIMIT, openDatabase } from './database.js';
import { DatabaseFiles, type Harm } from './files.js';
import { HARM_STORY } from './harm-story.js';
import type { Migration } from './migrations.js';
import { Newcomer, STILL_MS, UnsettledError } from './newcomer.js';
import { releaseHarmed } from './release.js';
import type { Retention } from './retention.js';
import { hasRoom } from './room.js';
import type { Schedule } from './schedule.js';
import { createSession, type Restoration, type Session } from './session.js';

const RETRY_MS = 5000;
/** A checkpoint that a reader hindered is tried again after this. */
const CHECKPOINT_MS = 5000;
export interface ReopeningOptions {
  readonly file: string;
  readonly retention: Retention;
  readonly migrations?: readonly Migration[];
  readonly log: Log;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Called with every newly opened database, and with what is to be written into it again. */
  readonly onOpen: (session: Session, lost: Restoration | null) => void;
  /** What is to be saved of a database that was harmed; null when it cannot be read any more. */
  readonly onLost: (session: Session | null, harm: Harm) => Restoration;
  /** Called when it is time to try again after a failure. */
  readonly onRetry: () => void;
  /** What a report of a failure should say besides. */
  readonly losses: () => Readonly<Record<string, unknown>>;
}

/** The open database and the files it was opened on. */
interface Opened {
  readonly session: Session;
  readonly files: DatabaseFiles;
}

/**
 * A database that is opened again after its disk has failed, or after its files were removed,
 * replaced or written over. What happens is reported at most once a minute and tried again every
 * five seconds.
 */
export class Reopening {
  readonly #options: ReopeningOptions;
  readonly #repeating: RepeatingLog;
  #opened: Opened | null = null;
  #suspect = false;
  #failure: string | null = null;
  #failedSince: number | null = null;
  #wasFull = false;
  #retryAt = Number.NEGATIVE_INFINITY;
  #checkpointAt = Number.NEGATIVE_INFINITY;
  readonly #newcomer: Newcomer;
  /** What a harmed database has lost, until it is written into the next. */
  #lost: Restoration | null = null;
  #replacements = 0;

  /** Throws coded errors only: another program's file, a newer schema, no folder. */
  constructor(options: ReopeningOptions) {
    const { log, clock } = options;
    this.#options = options;
    this.#newcomer = new Newcomer(options.file, clock);
    this.#repeating = createRepeatingLog(log, { clock });
    try {
      this.#open();
    } catch (error) {
      if (isCodedError(error)) throw error;
      this.#fail(error);
    }
  }

  /** Runs `work` on the open database; undefined if that fails, or has failed within 5 s. */
  read<T>(work: (session: Session) => T): T | undefined {
    return this.#attempt(() => work(this.#sound().session));
  }

  /**
   * As {@link read}, for work that writes: it is done again where the files were exchanged while it
   * was done, so what has been written can be found by whoever opens the path.
   */
  write<T>(work: (session: Session) => T): T | undefined {
    return this.#attempt(() => {
      for (let again = 0; ; again += 1) {
        const { session, files } = this.#sound();
        const answer = work(session);
        if (files.settled() >= JOURNAL_SIZE_LIMIT) this.#checkpoint();
        if (files.harm() !== null && again < 2) continue;
        this.#recovered();
        return answer;
      }
    });
  }

  /** Whether a write gets through: one that changes nothing anybody asks for. */
  probe(): void {
    this.write(({ stamp }) => this.#opened !== null && stamp(this.#newStamp(this.#opened.files)));
  }

  /** Looks after the files, and makes good what was done to them. */
  inspect(): void {
    if (this.#opened !== null) this.#attempt(() => this.#sound());
  }

  /** Moves the write-ahead log into the file and empties it. */
  checkpoint(): void {
    this.write(() => this.#checkpoint());
  }

  writable(): boolean {
    return this.#failure === null && this.#opened !== null;
  }

  /** Why the last attempt failed, and since when (wall clock, ms); null if it did not. */
  failure(): { readonly error: string; readonly since: number } | null {
    if (this.#failure === null) return null;
    return { error: this.#failure, since: this.#failedSince ?? this.#options.clock.wall() };
  }

  /** How often the files were removed, replaced or cut short since the start. */
  replacements(): number {
    return this.#replacements;
  }

  /** Makes the next attempt a real one, however short ago the last one failed. */
  hurry(): void {
    this.#retryAt = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    const { log, file } = this.#options;
    const opened = this.#opened;
    this.#opened = null;
    if (opened === null) return;
    try {
      const harm = opened.files.harm();
      if (harm === null || harm === 'log lost') opened.session.close();
      else releaseHarmed(file, opened.files, harm, () => opened.session.database.close());
    } catch (error) {
      log.warn({ file }, `closing the database failed: ${messageOf(error)}`);
    } finally {
      opened.files.close();
    }
  }

  #attempt<T>(work: () => T): T | undefined {
    if (this.#options.clock.now() < this.#retryAt) return undefined;
    try {
      return work();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** The open database, after whatever was done to its files has been made good. */
  #sound(): Opened {
    const opened = this.#opened ?? this.#open();
    const harm = opened.files.harm();
    if (harm === null) return opened;
    if (harm === 'replaced' || harm === 'overwritten') this.#newcomer.requireStill();
    this.#save(opened, harm);
    return this.#open();
  }

  /** Saves what the harmed database knows, and lets go of it. */
  #save({ session, files }: Opened, harm: Harm): void {
    const { file, onLost, log } = this.#options;
    const isOverwritten = harm === 'overwritten' || harm === 'log overwritten';
    // What is in a file that was written over is neither the old nor the new.
    this.#lost = onLost(isOverwritten ? null : session, harm);
    this.#replacements += 1;
    this.#opened = null;
    this.#suspect = isOverwritten;
    try {
      // The connection still has its own log, whatever stands at the path.
      if (harm === 'log lost') session.checkpoint();
    } catch {
      this.#suspect = true;
    }
    try {
      releaseHarmed(file, files, harm, () => session.database.close());
    } catch (error) {
      this.#suspect = true;
      log.warn({ file }, `closing the database failed: ${messageOf(error)}`);
    } finally {
      files.close();
    }
    const coded = codedError('MND_STORE_LOST', { subject: file, ...HARM_STORY[harm] });
    this.#repeating.error('lost', coded.message, { code: coded.code });
  }

  #open(): Opened {
    const { file, log, clock, migrations, retention, onOpen } = this.#options;
    const now = () => clock.wall();
    const session = openDatabase(
      { ...{ file, log, now, suspect: this.#suspect }, ...(migrations && { migrations }) },
      (database) => createSession(database, retention, clock),
    );
    let files: DatabaseFiles | null = null;
    try {
      files = this.#identify(session);
      onOpen(session, this.#lost);
      files.settled();
    } catch (error) {
      session.database.close();
      files?.close();
      throw error;
    }
    this.#lost = null;
    this.#suspect = false;
    this.#opened = { session, files };
    return this.#opened;
  }

  /** Stamps the file; where nothing can be written, its name and number must do. */
  #identify(session: Session): DatabaseFiles {
    const { file } = this.#options;
    const value = randomUUID();
    try {
      session.stamp(value);
      session.checkpoint();
    } catch (error) {
      if (isDamage(error)) throw error;
      return new DatabaseFiles(file, null);
    }
    const files = new DatabaseFiles(file, session.stampPage());
    files.stamped(value);
    files.settled();
    return files;
  }

  #newStamp(files: DatabaseFiles): string {
    const value = randomUUID();
    files.stamped(value);
    return value;
  }

  #checkpoint(): void {
    const { clock } = this.#options;
    if (this.#opened === null || clock.now() < this.#checkpointAt) return;
    const { session, files } = this.#opened;
    this.#checkpointAt = clock.now() + CHECKPOINT_MS;
    session.stamp(this.#newStamp(files));
    if (session.checkpoint()) this.#checkpointAt = Number.NEGATIVE_INFINITY;
    files.settled();
  }

  /** Something was written. Only that shows that the disk takes what is written. */
  #recovered(): void {
    if (this.#failure === null) return;
    const { file } = this.#options;
    if (this.#wasFull && !hasRoom(file)) {
      this.#failure = 'the disk is full but for a little';
      this.#retryLater(RETRY_MS);
      return;
    }
    this.#failure = null;
    this.#failedSince = null;
    this.#wasFull = false;
    this.#repeating.recovered('write', 'the database works again');
  }

  #retryLater(delay: number): void {
    const { schedule, onRetry } = this.#options;
    schedule.after('retry', delay, () => {
      this.hurry();
      onRetry();
    });
  }

  #fail(error: unknown): void {
    const { file, clock, losses } = this.#options;
    const unsettled = error instanceof UnsettledError;
    const delay = unsettled ? STILL_MS : RETRY_MS;
    this.#failure = messageOf(error);
    this.#failedSince ??= clock.wall();
    this.#retryAt = clock.now() + delay;
    this.#retryLater(delay);
    if (unsettled) return;
    this.#suspect ||= isDamage(error);
    this.#wasFull ||= sqliteCode(error) === 'SQLITE_FULL';
    // A file that SQLite opened read-only stays so until it is opened again.
    if (this.#suspect || /^SQLITE_(READONLY|IOERR|CANTOPEN)/.test(sqliteCode(error))) this.close();
    const coded = codedError('MND_STORE_FAILED', {
      subject: file,
      found: this.#failure,
      next: 'check the disk: events wait, detections are dropped, it is tried again every 5 s',
    });
    this.#repeating.error('write', coded.message, { code: coded.code, ...losses() });
  }
}
