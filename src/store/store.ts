import { messageOf } from '../errors.js';
import type { Result } from '../inference/result.js';
import { type Log, SILENT } from '../log.js';
import type { Outbox, OutgoingMessage, PendingMessage } from '../mqtt/message.js';
import type { PresenceEvent } from '../presence/event.js';
import { backgroundClock, type Clock } from '../time.js';
import type { Store, StoreHealth, StoreOptions, StoreTuning } from './contract.js';
import { createThinning, type Detection } from './detections.js';
import type { OpenEvent } from './events.js';
import type { Harm } from './files.js';
import type { GovernorEntry } from './governor-log.js';
import { removeOldCopies } from './migrations.js';
import { type Query, queryDetections, queryEvents } from './query.js';
import { RecentEvents } from './recent.js';
import { Reopening } from './reopening.js';
import type { Retention, SweepReport } from './retention.js';
import { Schedule } from './schedule.js';
import type { Restoration, Session, Work } from './session.js';
import type { Settings } from './settings.js';
import { WallClock } from './wall-clock.js';
import { WriteQueue } from './write-queue.js';

export type { Outbox, OutgoingMessage, PendingMessage } from '../mqtt/message.js';
export type { Store, StoreHealth, StoreOptions, StoreTuning } from './contract.js';
export type { Detection } from './detections.js';
export { endOf, type OpenEvent } from './events.js';
export type { GovernorEntry } from './governor-log.js';
export type { Query } from './query.js';
export type { Settings } from './settings.js';

const SWEEP_MS = 600_000;
const SWEEP_MORE_MS = 1000;
const IDLE_MS = 30_000;
const LOOK_MS = 2000;
/** How long a new version runs before the copies from before its upgrade go. */
const COPIES_KEPT_MS = 7 * 86_400_000;
/** Messages that are carried from a lost database into the next. */
const MESSAGES_SAVED = 10_000;

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

class SqliteStore implements Store {
  readonly outbox: Outbox;
  readonly settings: Settings;

  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #schedule: Schedule;
  readonly #queue = new WriteQueue();
  readonly #recent = new RecentEvents();
  readonly #wallClock: WallClock;
  readonly #database: Reopening;
  readonly #listeners = new Set<() => void>();
  /** One object for every session there will be, so that a change reaches the one that is open. */
  readonly #retention: { -readonly [K in keyof Retention]: Retention[K] };
  #tuning: StoreTuning;
  #thin: ReturnType<typeof createThinning>;
  #closed = false;
  /** Messages in the outbox, and the id of the newest ever recorded. */
  #depth = 0;
  #newestId = 0;
  /** Messages up to this id were there before this start. */
  readonly #firstId: number;
  #writtenAt = 0;

  constructor(options: StoreOptions) {
    const { file, clock = backgroundClock, log = SILENT, migrations } = options;
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    this.#tuning = options;
    this.#retention = { ...options.retention };
    this.#thin = createThinning(options.detectionInterval * 1000);
    this.#schedule = new Schedule(clock);
    this.#wallClock = new WallClock(clock);
    this.#database = new Reopening({
      ...{ file, log, clock, retention: this.#retention, schedule: this.#schedule },
      ...(migrations && { migrations }),
      onOpen: (session, lost) => this.#adopt(session, lost),
      onLost: (session, harm) => this.#recent.restoration(salvage(session, harm)),
      onRetry: () => this.#retry(),
      losses: () => ({ dropped: this.#queue.dropped(), waiting: this.#queue.waiting() }),
    });
    this.#firstId = this.#newestId;
    this.outbox = this.#createOutbox();
    this.settings = this.#createSettings();
    this.#schedule.after('sweep', SWEEP_MORE_MS, () => void this.sweep());
  }

  recordResult(result: Result, eventIds: ReadonlyMap<string, string>, unmoved = false): void {
    if (this.#closed) return;
    const minScore = this.#tuning.minScore ?? 0;
    const rows: Detection[] = this.#thin({ result, eventIds, minScore, unmoved });
    if (rows.length === 0) return;
    this.#queue.addDetections(rows);
    this.#writeSoon();
  }

  recordEvents(events: readonly PresenceEvent[], messages: readonly OutgoingMessage[]): boolean {
    if (this.#closed) return false;
    if (events.length + messages.length === 0) return true;
    this.#queue.addBatch({ events, messages, time: this.#clock.wall() });
    return this.#write();
  }

  recordGovernor(entry: GovernorEntry): void {
    this.#database.write((session) => session.governor.add(entry));
  }

  governorLog(since: number, limit: number): GovernorEntry[] {
    return this.#database.read((session) => session.governor.since(since, limit)) ?? [];
  }

  openEvents(): OpenEvent[] {
    return this.#database.read((session) => session.events.open()) ?? [];
  }

  detections(query: Query): Iterable<Detection> {
    return this.#database.read((session) => queryDetections(session.database, query)) ?? [];
  }

  events(query: Query): Iterable<PresenceEvent> {
    return this.#database.read((session) => queryEvents(session.database, query)) ?? [];
  }

  sweep(): SweepReport & { readonly messages: number } {
    const report = this.#database.write((session) => {
      this.#followClock(session);
      const messages = this.#trim(session);
      return { ...session.sweep(this.#clock.wall()), messages };
    });
    this.#removeOldCopies();
    const pause = report?.more ? SWEEP_MORE_MS : SWEEP_MS;
    this.#schedule.after('sweep', pause, () => void this.sweep());
    return report ?? { detections: 0, events: 0, messages: 0, more: false };
  }

  #removeOldCopies(): void {
    try {
      const removed = removeOldCopies(this.#file, this.#clock.wall() - COPIES_KEPT_MS);
      if (removed.length === 0) return;
      const names = removed.join(', ');
      this.#log.info({}, `removed copies from before an upgrade that has run well: ${names}`);
    } catch (error) {
      this.#log.debug({}, `old copies stay: ${messageOf(error)}`);
    }
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
      writable: this.#database.writable(),
      error: this.#database.failure()?.error ?? null,
      since: this.#database.failure()?.since ?? null,
      dropped: this.#queue.dropped(),
      waiting: this.#queue.waiting(),
      replaced: this.#database.replacements(),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#database.hurry();
    this.#write();
    this.#closed = true;
    this.#schedule.stop();
    this.#queue.abandon();
    this.#database.close();
  }

  #createOutbox(): Outbox {
    return {
      next: (limit, beyond = 0) => this.#next(limit, beyond),
      acknowledge: (id) => {
        if (this.#closed) return;
        this.#queue.acknowledge(id);
        this.#writeSoon();
      },
      depth: () => Math.max(0, this.#depth - this.#queue.acknowledged()),
      dropped: () => this.#queue.dropped().messages,
      onAdded: (listener) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
    };
  }

  #createSettings(): Settings {
    return {
      get: (key) => this.#database.read((session) => session.settings.get(key)) ?? null,
      set: (key, value) =>
        this.#database.write((session) => {
          session.settings.set(key, value);
          return true;
        }) ?? false,
      all: () => this.#database.read((session) => session.settings.all()) ?? new Map(),
    };
  }

  #adopt(session: Session, lost: Restoration | null): void {
    session.outbox.continueAfter(this.#newestId);
    if (lost !== null) session.restore(lost);
    this.#newestId = session.outbox.newest();
    this.#depth = session.outbox.count();
    // A fresh database does not have the messages of the damaged one it replaces.
    if (this.#depth === 0) this.#queue.forgetAcknowledged();
  }

  #writeSoon(): void {
    const delay = this.#tuning.commitInterval * 1000;
    this.#schedule.after('commit', delay, () => void this.#write());
  }

  /** Commits all that waits; true if nothing is left. */
  #write(): boolean {
    if (this.#queue.isEmpty()) return true;
    const work = this.#queue.work();
    const done = this.#database.write((session) => {
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
    if (work.batches.length > 0) for (const listener of this.#listeners) listener();
    return true;
  }

  #retry(): void {
    if (this.#queue.isEmpty()) this.#database.probe();
    else this.#write();
  }

  /** Keeps what is on disk in mind for as long as the disk's files can be exchanged under it. */
  #remember({ batches, acknowledged }: Work): void {
    this.#recent.delivered(acknowledged);
    const messages = batches.reduce((sum, batch) => sum + batch.messages.length, 0);
    let id = this.#newestId - messages + 1;
    for (const batch of batches) {
      this.#recent.note(batch, id);
      id += batch.messages.length;
    }
    if (this.#recent.hasOpen()) this.#schedule.after('look', LOOK_MS, () => this.#look());
  }

  /** While something is present, a lost database is noticed although nothing is written. */
  #look(): void {
    this.#database.inspect();
    if (this.#recent.hasOpen()) this.#schedule.after('look', LOOK_MS, () => this.#look());
  }

  #commit(session: Session, work: Work): void {
    this.#depth += session.commit(work, (lost, error) => {
      this.#queue.lost(lost);
      this.#log.error({ code: 'MND_STORE_FAILED' }, `rows were refused: ${messageOf(error)}`);
    });
    this.#newestId = session.outbox.newest();
    if (this.#depth > this.#tuning.outbox.maxRows) this.#trim(session);
  }

  #checkpointWhenIdle(): void {
    const left = IDLE_MS - (this.#clock.now() - this.#writtenAt);
    if (left > 0) this.#schedule.after('idle', left, () => this.#checkpointWhenIdle());
    else this.#database.checkpoint();
  }

  #trim(session: Session): number {
    const { maxAge, maxRows } = this.#tuning.outbox;
    const removed = session.outbox.trim(maxRows, this.#clock.wall() - maxAge * 1000);
    this.#queue.lostMessages(removed);
    this.#depth = session.outbox.count();
    return removed;
  }

  /** A board without a clock starts in the past: its messages must not look old once time is set. */
  #followClock(session: Session): void {
    const step = this.#wallClock.step();
    if (step === 0) return;
    session.outbox.shift(step, this.#firstId);
    this.#log.warn({ seconds: Math.round(step / 1000) }, 'the wall clock was set');
  }

  #next(limit: number, beyond: number): PendingMessage[] {
    const rows = this.#database.write((session) => {
      this.#followClock(session);
      // Those acknowledged but not yet removed are passed over.
      const many = limit + this.#queue.acknowledged();
      const found = session.outbox.next(many, beyond);
      const oldest = this.#clock.wall() - this.#tuning.outbox.maxAge * 1000;
      if (!found.some((row) => row.created < oldest)) return found;
      this.#trim(session);
      return session.outbox.next(many, beyond);
    });
    return (rows ?? []).filter((row) => !this.#queue.isAcknowledged(row.id)).slice(0, limit);
  }
}

/** What of a database that nobody finds any more can still be read over its open connection. */
function salvage(
  session: Session | null,
  harm: Harm,
): Pick<Restoration, 'batches' | 'settings'> | null {
  if (session === null || harm === 'log lost') return null;
  try {
    const messages = session.outbox.next(MESSAGES_SAVED, 0);
    const oldest = messages[0]?.created;
    const events = oldest === undefined ? [] : session.events.updatedSince(oldest);
    return {
      batches: [
        ...events.map((event) => ({ events: [event], messages: [], time: event.seen })),
        ...messages.map((message) => ({ events: [], messages: [message], time: message.created })),
      ],
      settings: session.settings.all(),
    };
  } catch {
    return null;
  }
}
