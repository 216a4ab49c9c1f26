import { messageOf } from '../errors.js';
import type { Result } from '../inference/result.js';
import { type Log, SILENT } from '../log.js';
import type { Outbox, OutgoingMessage, PendingMessage } from '../mqtt/message.js';
import type { PresenceEvent } from '../presence/event.js';
import { backgroundClock, type Clock } from '../time.js';
import type { NoticeQueue, Store, StoreHealth, StoreOptions, StoreTuning } from './contract.js';
import { countEvents, type EventCount } from './counts.js';
import { createThinning, type Detection } from './detections.js';
import type { OpenEvent } from './events.js';
import { databaseBytes, type Harm } from './files.js';
import { forgetEvent } from './forget.js';
import type { GovernorEntry } from './governor-log.js';
import { Listeners } from './listeners.js';
import { removeOldCopies } from './migrations.js';
import type { NoticeTable, OutgoingNotice } from './notices.js';
import { eventsById, type Query, queryDetections, queryEvents } from './query.js';
import { RecentEvents, type Salvaged } from './recent.js';
import { Reopening } from './reopening.js';
import type { Retention, SweepReport } from './retention.js';
import { Schedule } from './schedule.js';
import type { Restoration, Session, Work } from './session.js';
import type { Settings } from './settings.js';
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
/** How long a new version runs before the copies from before its upgrade go. */
const COPIES_KEPT_MS = 7 * 86_400_000;
/** Messages and notifications that are carried from a lost database into the next. */
const MESSAGES_SAVED = 10_000;
const NOTICES_SAVED = 10_000;

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
  readonly notices: NoticeQueue;

  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #schedule: Schedule;
  readonly #queue = new WriteQueue();
  readonly #recent = new RecentEvents();
  readonly #upkeep: Upkeep;
  readonly #database: Reopening;
  readonly #added = new Listeners<undefined>();
  readonly #clockSet = new Listeners<number>();
  readonly #removed = new Listeners<readonly string[]>();
  readonly #committed = new Listeners<number>();
  /** One object for every session there will be, so that a change reaches the one that is open. */
  readonly #retention: { -readonly [K in keyof Retention]: Retention[K] };
  #tuning: StoreTuning;
  #thin: ReturnType<typeof createThinning>;
  #closed = false;
  /** Messages in the outbox, and the id of the newest ever recorded. */
  #depth = 0;
  #newestId = 0;
  #newestNoticeId = 0;
  #opens = 0;
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
    this.#upkeep = new Upkeep({
      ...{ clock, log, retention: this.#retention },
      uptime: options.uptime ?? (() => clock.now()),
      isSynchronised: options.isSynchronised ?? (() => false),
    });
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
    this.notices = this.#createNotices();
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

  countEvents(since: number, label: string | null): readonly EventCount[] {
    return this.#database.read((session) => countEvents(session.database, since, label)) ?? [];
  }

  event(id: string): PresenceEvent | null {
    const found = this.#database.read((session) => eventsById(session.database, id, 1)) ?? [];
    return found.find((event) => event.id === id) ?? null;
  }

  hasEvent(id: string): boolean | null {
    // What waits for the disk is in no table.
    if (!this.#database.writable()) return null;
    return this.#database.read((session) => session.events.has(id)) ?? null;
  }

  certainTime(days: number): number {
    return this.#upkeep.certainTime(days);
  }

  eventsLike(prefix: string, limit: number): readonly PresenceEvent[] {
    return this.#database.read((session) => eventsById(session.database, prefix, limit)) ?? [];
  }

  forgetEvent(id: string): boolean {
    this.flush();
    return this.#database.write((session) => forgetEvent(session.database, id)) ?? false;
  }

  sweep(): SweepReport & { readonly messages: number } {
    this.followClock();
    const report = this.#database.write((session) => {
      const messages = this.#trim(session);
      return { ...this.#upkeep.sweep(session), messages };
    });
    this.#removeOldCopies();
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
      onAdded: (listener) => this.#added.add(listener),
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

  #createNotices(): NoticeQueue {
    const read = <T>(ask: (table: NoticeTable) => T, none: T): T =>
      this.#database.read((session) => ask(session.notices)) ?? none;
    const write = (change: (table: NoticeTable) => number): number =>
      this.#database.write((session) => change(session.notices)) ?? 0;
    return {
      next: (rule, channel) => read((table) => table.next(rule, channel), null),
      counts: () => read((table) => table.counts(), []),
      firings: (since) => read((table) => table.firings(since), []),
      remove: (id) => {
        this.#recent.told(id);
        return write((table) => table.remove(id));
      },
      trim: (rule, channel, rows, time) => write((table) => table.trim(rule, channel, rows, time)),
      clear: (rule, channel) => write((table) => table.clear(rule, channel)),
      shift: (step) =>
        void write((table) => {
          table.shift(step);
          return 0;
        }),
    };
  }

  #adopt(session: Session, lost: Restoration | null): void {
    session.outbox.continueAfter(this.#newestId);
    if (lost !== null) session.restore(lost);
    this.#upkeep.opened(session, lost !== null || this.#opens === 0);
    this.#opens += 1;
    this.#newestId = session.outbox.newest();
    this.#newestNoticeId = session.notices.newest();
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
    if (work.batches.length > 0) this.#added.tell(undefined);
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
    this.#database.inspect();
    if (this.#recent.hasOpen()) this.#schedule.after('look', LOOK_MS, () => this.#look());
  }

  #commit(session: Session, work: Work): void {
    const begunAt = this.#clock.now();
    this.#depth += session.commit(work, (lost, error) => {
      this.#queue.lost(lost);
      this.#log.error({ code: 'MND_STORE_FAILED' }, `rows were refused: ${messageOf(error)}`);
    });
    this.#committed.tell(this.#clock.now() - begunAt);
    this.#newestId = session.outbox.newest();
    if (work.batches.some(({ notices = [] }) => notices.length > 0)) {
      this.#newestNoticeId = session.notices.newest();
    }
    if (this.#depth > this.#tuning.outbox.maxRows) this.#trim(session);
  }

  #checkpointWhenIdle(): void {
    const left = IDLE_MS - (this.#clock.now() - this.#writtenAt);
    if (left > 0) this.#schedule.after('idle', left, () => this.#checkpointWhenIdle());
    else this.#database.checkpoint();
  }

  #trim(session: Session): number {
    const { maxAge, maxRows } = this.#tuning.outbox;
    // What the broker has acknowledged was not given up.
    for (const id of this.#queue.work().acknowledged) session.outbox.remove(id);
    const removed = session.outbox.trim(maxRows, this.#clock.wall() - maxAge * 1000);
    this.#queue.lostMessages(removed);
    this.#depth = session.outbox.count();
    return removed;
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
    const more = this.#database.write((session) => this.#upkeep.correct(session, this.#firstId));
    if (more === false) return;
    const delay = more === undefined ? RETRY_MS : CORRECT_MS;
    this.#schedule.after('correct', delay, () => this.#correct());
  }

  #next(limit: number, beyond: number): PendingMessage[] {
    this.followClock();
    // Those acknowledged but not yet removed are passed over.
    const many = limit + this.#queue.acknowledged();
    const read = () => this.#database.read((session) => session.outbox.next(many, beyond)) ?? [];
    let found = read();
    const oldest = this.#clock.wall() - this.#tuning.outbox.maxAge * 1000;
    if (found.some((row) => row.created < oldest)) {
      this.#database.write((session) => this.#trim(session));
      found = read();
    }
    return found.filter((row) => !this.#queue.isAcknowledged(row.id)).slice(0, limit);
  }
}

const NOTHING = { detections: 0, events: 0, messages: 0, eventIds: [], more: false };

/** What of a database that nobody finds any more can still be read over its open connection. */
function salvage(session: Session | null, harm: Harm): Salvaged | null {
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
      notices: {
        waiting: session.notices.newestOf(NOTICES_SAVED),
        firings: session.notices.firings(0),
        isAll: true,
      },
    };
  } catch {
    return null;
  }
}
