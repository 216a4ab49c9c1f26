import { messageOf } from '../errors.js';
import type { Result } from '../inference/result.js';
import { type Log, SILENT } from '../log.js';
import type { OutgoingMessage } from '../mqtt/message.js';
import type { PresenceEvent } from '../presence/event.js';
import { backgroundClock, type Clock } from '../time.js';
import type { NoticeQueue, Store, StoreHealth, StoreOptions, StoreTuning } from './contract.js';
import { createThinning, type Detection } from './detections.js';
import { databaseBytes } from './files.js';
import { forgetEvent } from './forget.js';
import type { GovernorEntry } from './governor-log.js';
import { createNoticeQueue, createSettings } from './guarded-tables.js';
import { Listeners } from './listeners.js';
import type { OutgoingNotice } from './notices.js';
import { dropOldCopies } from './old-copies.js';
import { OutboxQueue } from './outbox-queue.js';
import { RecentEvents } from './recent.js';
import { Reopening } from './reopening.js';
import type { Retention, SweepReport } from './retention.js';
import { salvage } from './salvage.js';
import { Schedule } from './schedule.js';
import type { Restoration, Session, Work } from './session.js';
import type { Settings } from './settings.js';
import { StoredHistory } from './stored-history.js';
import { Upkeep } from './upkeep.js';
import { WriteQueue } from './write-queue.js';

export type { Outbox, OutgoingMessage, PendingMessage } from '../mqtt/message.js';
export type { Store, StoreHealth, StoreOptions, StoreTuning } from './contract.js';
export type { Detection } from './detections.js';
export { endOf, type OpenEvent } from './events.js';
export type { GovernorEntry } from './governor-log.js';
export type { Query } from './query.js';
export type { Settings } from './settings.js';

const SWEEP_MS = 600_000;
/** Between two sweeps while there is more to remove: results have their turn in between. */
const SWEEP_MORE_MS = 50;
const CORRECT_MS = 20;
const RETRY_MS = 5000;
const FIRST_SWEEP_MS = 1000;
const IDLE_MS = 30_000;
const LOOK_MS = 2000;

/**
 * Opens (or makes) the database.
 *
 * Throws MND_STORE_NEWER, and MND_STORE_OPEN when the file is another program's or its folder cannot
 * be made. A disk that is full, read-only or failing does not throw, then or later: it is reported,
 * detections are dropped and counted, events wait within bounds, and it is tried again every 5 s.
 */
export function openStore(options: StoreOptions): Store {
  return new SqliteStore(options);
}

class SqliteStore extends StoredHistory implements Store {
  readonly outbox: OutboxQueue;
  readonly settings: Settings;
  readonly notices: NoticeQueue;

  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #schedule: Schedule;
  readonly #queue = new WriteQueue();
  readonly #recent = new RecentEvents();
  readonly #upkeep: Upkeep;
  protected readonly database: Reopening;
  readonly #clockSet = new Listeners<number>();
  readonly #removed = new Listeners<readonly string[]>();
  readonly #committed = new Listeners<number>();
  /** One object for every session there will be, so that a change reaches the one that is open. */
  readonly #retention: { -readonly [K in keyof Retention]: Retention[K] };
  #tuning: StoreTuning;
  #thin: ReturnType<typeof createThinning>;
  #closed = false;
  /** Of the newest message and notification ever recorded. */
  #newestId = 0;
  #newestNoticeId = 0;
  #opens = 0;
  /** Messages up to this id were there before this start. */
  readonly #firstId: number;
  #writtenAt = 0;

  constructor(options: StoreOptions) {
    super();
    const { file, clock = backgroundClock, log = SILENT, migrations } = options;
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    this.#tuning = options;
    this.#retention = { ...options.retention };
    this.#thin = createThinning(options.detectionInterval * 1000);
    this.#schedule = new Schedule(clock);
    this.#upkeep = new Upkeep({
      ...{ clock, log, retention: this.#retention },
      uptime: options.uptime ?? (() => clock.now()),
      isSynchronised: options.isSynchronised ?? (() => false),
    });
    this.outbox = new OutboxQueue({
      ...{ clock, waiting: this.#queue, limits: () => this.#tuning.outbox },
      database: () => this.database,
      followClock: () => this.followClock(),
      onAcknowledged: () => this.#writeSoon(),
    });
    this.database = new Reopening({
      ...{ file, log, clock, retention: this.#retention, schedule: this.#schedule },
      ...(migrations && { migrations }),
      onOpen: (session, lost) => this.#adopt(session, lost),
      onLost: (session, harm) => this.#recent.restoration(salvage(session, harm)),
      onRetry: () => this.#retry(),
      losses: () => ({ dropped: this.#queue.dropped(), waiting: this.#queue.waiting() }),
    });
    this.#firstId = this.#newestId;
    this.settings = createSettings(this.database);
    this.notices = createNoticeQueue(this.database, (id) => this.#recent.told(id));
    this.#schedule.after('sweep', FIRST_SWEEP_MS, () => void this.sweep());
  }

  recordResult(result: Result, eventIds: ReadonlyMap<string, string>, unmoved = false): void {
    if (this.#closed) return;
    const minScore = this.#tuning.minScore ?? 0;
    this.followClock();
    const rows: Detection[] = this.#thin({ result, eventIds, minScore, unmoved });
    if (rows.length === 0) return;
    this.#queue.addDetections(rows);
    this.#writeSoon();
  }

  recordEvents(
    events: readonly PresenceEvent[],
    messages: readonly OutgoingMessage[],
    notices: readonly OutgoingNotice[] = [],
  ): boolean {
    if (this.#closed) return false;
    if (events.length + messages.length + notices.length === 0) return true;
    this.followClock();
    this.#queue.addBatch({ events, messages, notices, time: this.#clock.wall() });
    return this.#write();
  }

  recordGovernor(entry: GovernorEntry): void {
    this.database.write((session) => session.governor.add(entry));
  }

  certainTime(days: number): number {
    return this.#upkeep.certainTime(days);
  }

  forgetEvent(id: string): boolean {
    this.flush();
    const isGone = this.database.write((session) => forgetEvent(session.database, id)) ?? false;
    if (isGone) this.#recent.forget(id);
    return isGone;
  }

  sweep(): SweepReport & { readonly messages: number } {
    this.followClock();
    const report = this.database.write((session) => {
      const messages = this.outbox.trim(session);
      return { ...this.#upkeep.sweep(session), messages };
    });
    dropOldCopies(this.#file, this.#clock.wall(), this.#log);
    this.#schedule.after('sweep', report?.more ? SWEEP_MORE_MS : SWEEP_MS, () => void this.sweep());
    const { eventIds, ...counts } = report ?? NOTHING;
    if (eventIds.length > 0) this.#removed.tell(eventIds);
    return counts;
  }

  onClockSet(listener: (step: number) => void): () => void {
    return this.#clockSet.add(listener);
  }

  onCommit(listener: (ms: number) => void): () => void {
    return this.#committed.add(listener);
  }

  sizeBytes(): number {
    return databaseBytes(this.#file);
  }

  onRemoved(listener: (eventIds: readonly string[]) => void): () => void {
    return this.#removed.add(listener);
  }

  configure(next: StoreTuning): void {
    if (next.detectionInterval !== this.#tuning.detectionInterval) {
      this.#thin = createThinning(next.detectionInterval * 1000);
    }
    Object.assign(this.#retention, next.retention);
    this.#tuning = next;
  }

  flush(): void {
    this.#write();
  }

  health(): StoreHealth {
    return {
      writable: this.database.writable(),
      error: this.database.failure()?.error ?? null,
      since: this.database.failure()?.since ?? null,
      dropped: this.#queue.dropped(),
      waiting: this.#queue.waiting(),
      replaced: this.database.replacements(),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.database.hurry();
    this.#write();
    this.#closed = true;
    this.outbox.close();
    this.#schedule.stop();
    this.#queue.abandon();
    this.database.close();
  }

  #adopt(session: Session, lost: Restoration | null): void {
    session.outbox.continueAfter(this.#newestId);
    if (lost !== null) session.restore(lost);
    this.#upkeep.opened(session, lost !== null || this.#opens === 0);
    this.#opens += 1;
    this.#newestId = session.outbox.newest();
    this.#newestNoticeId = session.notices.newest();
    this.outbox.adopt(session);
  }

  #writeSoon(): void {
    const delay = this.#tuning.commitInterval * 1000;
    this.#schedule.after('commit', delay, () => void this.#write());
  }

  /** Commits all that waits; true if nothing is left. */
  #write(): boolean {
    if (this.#queue.isEmpty()) return true;
    const work = this.#queue.work();
    const done = this.database.write((session) => {
      this.#commit(session, work);
      return true;
    });
    if (done === undefined) {
      this.#queue.refused();
      return false;
    }
    this.#queue.written(work);
    this.#remember(work);
    this.#writtenAt = this.#clock.now();
    this.#schedule.after('idle', IDLE_MS, () => this.#checkpointWhenIdle());
    if (work.batches.length > 0) this.outbox.tellAdded();
    return true;
  }

  #retry(): void {
    if (this.#queue.isEmpty()) this.database.probe();
    else this.#write();
  }

  /** Keeps what is on disk in mind for as long as the disk's files can be exchanged under it. */
  #remember({ batches, acknowledged }: Work): void {
    this.#recent.delivered(acknowledged);
    const messages = batches.reduce((sum, batch) => sum + batch.messages.length, 0);
    const notices = batches.reduce((sum, batch) => sum + (batch.notices?.length ?? 0), 0);
    let id = this.#newestId - messages + 1;
    let noticeId = this.#newestNoticeId - notices + 1;
    for (const batch of batches) {
      this.#recent.note(batch, id, noticeId);
      id += batch.messages.length;
      noticeId += batch.notices?.length ?? 0;
    }
    if (this.#recent.hasOpen()) this.#schedule.after('look', LOOK_MS, () => this.#look());
  }

  /** While something is present, a lost database is noticed although nothing is written. */
  #look(): void {
    this.database.inspect();
    if (this.#recent.hasOpen()) this.#schedule.after('look', LOOK_MS, () => this.#look());
  }

  #commit(session: Session, work: Work): void {
    const begunAt = this.#clock.now();
    const growth = session.commit(work, (lost, error) => {
      this.#queue.lost(lost);
      this.#log.error({ code: 'MND_STORE_FAILED' }, `rows were refused: ${messageOf(error)}`);
    });
    this.#committed.tell(this.#clock.now() - begunAt);
    this.#newestId = session.outbox.newest();
    if (work.batches.some(({ notices = [] }) => notices.length > 0)) {
      this.#newestNoticeId = session.notices.newest();
    }
    this.outbox.grew(session, growth);
    // What comes until the next sweep must not take more than the rows may.
    if (session.isOver()) this.#schedule.soon('sweep', SWEEP_MORE_MS, () => void this.sweep());
  }

  #checkpointWhenIdle(): void {
    const left = IDLE_MS - (this.#clock.now() - this.#writtenAt);
    if (left > 0) this.#schedule.after('idle', left, () => this.#checkpointWhenIdle());
    else this.database.checkpoint();
  }

  /** Where the clock was set, everything since the start gets the times it should have had. */
  followClock(): void {
    const step = this.#upkeep.followClock();
    if (step === 0) return;
    this.#queue.shift(step);
    this.#recent.shift(step);
    this.#correct();
    this.#clockSet.tell(step);
  }

  #correct(): void {
    const more = this.database.write((session) => this.#upkeep.correct(session, this.#firstId));
    if (more === false) return;
    const delay = more === undefined ? RETRY_MS : CORRECT_MS;
    this.#schedule.after('correct', delay, () => this.#correct());
  }
}

const NOTHING = { detections: 0, events: 0, messages: 0, eventIds: [], more: false };
