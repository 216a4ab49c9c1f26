import { messageOf } from '../errors.js';
import type { Result } from '../inference/result.js';
import type { Outbox, OutgoingMessage, PendingMessage } from '../mqtt/message.js';
import type { PresenceEvent } from '../presence/event.js';
import { createThinning, type Detection } from './detections.js';
import type { OpenEvent } from './events.js';
import type { GovernorEntry } from './governor-log.js';
import { type Log, REAL_TIMERS, SILENT, type Timers } from './log.js';
import type { Migration } from './migrations.js';
import { type Query, queryDetections, queryEvents } from './query.js';
import { openWithRetries } from './reopening.js';
import type { Retention, SweepReport } from './retention.js';
import { createSchedule } from './schedule.js';
import type { EventBatch, Session, Work } from './session.js';
import type { Settings } from './settings.js';

export type { Outbox, OutgoingMessage, PendingMessage } from '../mqtt/message.js';
export type { Detection } from './detections.js';
export { endOf, type OpenEvent } from './events.js';
export type { GovernorEntry } from './governor-log.js';
export type { Query } from './query.js';
export type { Settings } from './settings.js';

/** What can change while the store is open. */
export interface StoreTuning {
  /** Seconds between commits of detections and acknowledgements. */
  readonly commitInterval: number;
  /** Seconds between two detections kept of one label of one camera. */
  readonly detectionInterval: number;
  /** Labels below this score are kept only while their event lasts. Default 0: all. */
  readonly minScore?: number;
  readonly retention: Retention;
  readonly outbox: {
    /** Seconds after which an undelivered message is dropped. */
    readonly maxAge: number;
    readonly maxRows: number;
  };
}

export interface StoreOptions extends StoreTuning {
  readonly file: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly now?: () => number;
  /** Monotonic clock, milliseconds; tells a stepped wall clock from time that passed. */
  readonly monotonic?: () => number;
  readonly timers?: Timers;
  readonly log?: Log;
  readonly migrations?: readonly Migration[];
}

export interface StoreHealth {
  readonly writable: boolean;
  /** What was wrong at the last attempt to write; null if nothing was. */
  readonly error: string | null;
  /** Lost since the start. */
  readonly dropped: {
    readonly detections: number;
    readonly events: number;
    readonly messages: number;
  };
  /** Events that wait for the disk. */
  readonly waiting: number;
}

export interface Store {
  /**
   * Keeps the labels of a frame; `eventIds` has the id of the running event of each label. Of a frame
   * in which nothing has moved, only what it says anew: a still camera leaves the disk alone.
   */
  recordResult(result: Result, eventIds: ReadonlyMap<string, string>, unmoved?: boolean): void;
  /**
   * Writes events and their messages in one transaction, at once. True when they are on disk; false
   * when the disk refuses them: they then wait (bounded) and {@link Outbox.onAdded} tells of them.
   */
  recordEvents(events: readonly PresenceEvent[], messages: readonly OutgoingMessage[]): boolean;
  readonly outbox: Outbox;
  readonly settings: Settings;
  /** Notes what the governor decided; lost, but reported, while the disk refuses it. */
  recordGovernor(entry: GovernorEntry): void;
  /** The newest entries of the governor's log since a time (ms), oldest first. */
  governorLog(since: number, limit: number): GovernorEntry[];
  /** Events without an end, e.g. those of a daemon that was killed. */
  openEvents(): OpenEvent[];
  detections(query: Query): Iterable<Detection>;
  events(query: Query): Iterable<PresenceEvent>;
  /** Applies retention now; it also runs by itself every ten minutes. */
  sweep(): SweepReport & { readonly messages: number };
  /** From now on; retention with the next sweep. */
  configure(tuning: StoreTuning): void;
  /** Commits what waits. */
  flush(): void;
  health(): StoreHealth;
  /** Commits, empties the write-ahead log and closes. Safe to call twice. */
  close(): void;
}

const SWEEP_MS = 600_000;
const SWEEP_MORE_MS = 1000;
const IDLE_MS = 30_000;
const MAX_BUFFERED_DETECTIONS = 10_000;
const MAX_WAITING_BATCHES = 256;
/** A wall clock that moved this much more than the monotonic one was set. */
const CLOCK_STEP_MS = 3_600_000;

/**
 * Opens (or makes) the database.
 *
 * Throws MND_STORE_NEWER, and MND_STORE_OPEN when the file is another program's or its folder cannot
 * be made. A disk that is full, read-only or failing does not throw, then or later: it is reported,
 * detections are dropped and counted, events wait within bounds, and it is tried again every 5 s.
 */
export function openStore(options: StoreOptions): Store {
  const log = options.log ?? SILENT;
  const now = options.now ?? Date.now;
  const monotonic = options.monotonic ?? (() => performance.now());
  const schedule = createSchedule(options.timers ?? REAL_TIMERS);
  let thin = createThinning(options.detectionInterval * 1000);
  let tuning: StoreTuning = options;
  // One object for every session there will be, so that a change reaches the one that is open.
  const retention = { ...options.retention };
  const dropped = { detections: 0, events: 0, messages: 0 };
  const acknowledged = new Set<number>();
  const listeners = new Set<() => void>();

  let closed = false;
  let buffered: Detection[] = [];
  let waiting: EventBatch[] = [];
  let depth = 0;
  let newestId = 0;
  let writtenAt = 0;
  let clock = { wall: now(), monotonic: monotonic() };

  const database = openWithRetries({
    file: options.file,
    retention,
    ...(options.migrations && { migrations: options.migrations }),
    log,
    now,
    monotonic,
    schedule,
    onOpen(session) {
      session.outbox.continueAfter(newestId);
      newestId = session.outbox.newest();
      depth = session.outbox.count();
      // A fresh database does not have the messages of the damaged one it replaces.
      if (depth === 0) acknowledged.clear();
    },
    onRetry: () => void write(true),
    losses: () => ({ dropped, waiting: waiting.length }),
  });
  const firstId = newestId;

  /** Commits all that waits; true if nothing is left. With `probe`, even if nothing does. */
  function write(probe = false): boolean {
    const batches = waiting;
    const ids = [...acknowledged];
    if (!probe && batches.length + buffered.length + ids.length === 0) return true;
    const done = database.attempt((session) => {
      commit(session, { batches, detections: buffered, acknowledged: ids });
      return true;
    });
    if (done === undefined) dropped.detections += buffered.length;
    buffered = [];
    if (done === undefined) return false;
    waiting = [];
    for (const id of ids) acknowledged.delete(id);
    writtenAt = monotonic();
    schedule.after('idle', IDLE_MS, checkpointWhenIdle);
    if (batches.length > 0) for (const listener of listeners) listener();
    return true;
  }

  function commit(session: Session, work: Work): void {
    const change = session.commit(work, (lost, error) => {
      dropped.detections += lost.detections.length;
      for (const batch of lost.batches) dropped.events += batch.events.length;
      log.error({ code: 'MND_STORE_FAILED' }, `rows were refused: ${messageOf(error)}`);
    });
    depth += change;
    newestId = session.outbox.newest();
    if (depth > tuning.outbox.maxRows) trim(session);
  }

  function checkpointWhenIdle(): void {
    const left = IDLE_MS - (monotonic() - writtenAt);
    if (left > 0) schedule.after('idle', left, checkpointWhenIdle);
    else database.attempt((session) => session.checkpoint());
  }

  function trim(session: Session): number {
    const { maxAge, maxRows } = tuning.outbox;
    const removed = session.outbox.trim(maxRows, now() - maxAge * 1000);
    dropped.messages += removed;
    depth = session.outbox.count();
    return removed;
  }

  /** A board without a clock starts in the past: its messages must not look old once time is set. */
  function followClock(session: Session): void {
    const wall = now();
    const mono = monotonic();
    const step = wall - clock.wall - (mono - clock.monotonic);
    clock = { wall, monotonic: mono };
    if (Math.abs(step) < CLOCK_STEP_MS) return;
    session.outbox.shift(step, firstId);
    log.warn({ seconds: Math.round(step / 1000) }, 'the wall clock was set');
  }

  function next(limit: number, beyond: number): PendingMessage[] {
    const rows = database.attempt((session) => {
      followClock(session);
      // Those acknowledged but not yet removed are passed over.
      const found = session.outbox.next(limit + acknowledged.size, beyond);
      const oldest = now() - tuning.outbox.maxAge * 1000;
      if (!found.some((row) => row.created < oldest)) return found;
      trim(session);
      return session.outbox.next(limit + acknowledged.size, beyond);
    });
    return (rows ?? []).filter((row) => !acknowledged.has(row.id)).slice(0, limit);
  }

  function sweep(): SweepReport & { messages: number } {
    const report = database.attempt((session) => {
      followClock(session);
      const messages = trim(session);
      return { ...session.sweep(now()), messages };
    });
    schedule.after('sweep', report?.more ? SWEEP_MORE_MS : SWEEP_MS, sweep);
    return report ?? { detections: 0, events: 0, messages: 0, more: false };
  }

  schedule.after('sweep', SWEEP_MORE_MS, sweep);

  return {
    recordResult(result, eventIds, unmoved = false) {
      if (closed) return;
      const rows = thin({ result, eventIds, minScore: tuning.minScore ?? 0, unmoved });
      if (rows.length === 0) return;
      const room = MAX_BUFFERED_DETECTIONS - buffered.length;
      buffered.push(...rows.slice(0, room));
      dropped.detections += Math.max(0, rows.length - room);
      schedule.after('commit', tuning.commitInterval * 1000, write);
    },
    recordEvents(events, messages) {
      if (closed) return false;
      if (events.length + messages.length === 0) return true;
      waiting.push({ events, messages, time: now() });
      if (waiting.length > MAX_WAITING_BATCHES) {
        dropped.events += waiting.shift()?.events.length ?? 0;
      }
      return write();
    },
    outbox: {
      next: (limit, beyond = 0) => next(limit, beyond),
      acknowledge(id) {
        if (closed) return;
        acknowledged.add(id);
        schedule.after('commit', tuning.commitInterval * 1000, write);
      },
      depth: () => Math.max(0, depth - acknowledged.size),
      dropped: () => dropped.messages,
      onAdded(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    settings: {
      get: (key) => database.attempt((session) => session.settings.get(key)) ?? null,
      set: (key, value) =>
        database.attempt((session) => {
          session.settings.set(key, value);
          return true;
        }) ?? false,
      all: () => database.attempt((session) => session.settings.all()) ?? new Map(),
    },
    recordGovernor(entry) {
      database.attempt((session) => session.governor.add(entry));
    },
    governorLog: (since, limit) =>
      database.attempt((session) => session.governor.since(since, limit)) ?? [],
    openEvents: () => database.attempt((session) => session.events.open()) ?? [],
    detections: (query) =>
      database.attempt((session) => queryDetections(session.database, query)) ?? [],
    events: (query) => database.attempt((session) => queryEvents(session.database, query)) ?? [],
    sweep,
    configure(next) {
      if (next.detectionInterval !== tuning.detectionInterval) {
        thin = createThinning(next.detectionInterval * 1000);
      }
      Object.assign(retention, next.retention);
      tuning = next;
    },
    flush: () => void write(),
    health: () => ({
      writable: database.writable(),
      error: database.failure(),
      dropped: { ...dropped },
      waiting: waiting.length,
    }),
    close() {
      if (closed) return;
      database.hurry();
      write();
      closed = true;
      schedule.stop();
      dropped.events += waiting.reduce((sum, batch) => sum + batch.events.length, 0);
      database.close();
    },
  };
}
