import type { Result } from '../inference/result.js';
import type { Log } from '../log.js';
import type { Outbox, OutgoingMessage } from '../mqtt/message.js';
import type { PresenceEvent } from '../presence/event.js';
import type { Clock } from '../time.js';
import type { EventCount } from './counts.js';
import type { Detection } from './detections.js';
import type { OpenEvent } from './events.js';
import type { GovernorEntry } from './governor-log.js';
import type { Migration } from './migrations.js';
import type { NoticeTable, OutgoingNotice } from './notices.js';
import type { Query } from './query.js';
import type { Retention, SweepReport } from './retention.js';
import type { Settings } from './settings.js';

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
  /** Default: the machine's time; its timers do not keep a process alive. */
  readonly clock?: Clock;
  /** Milliseconds since the machine's start, sleep included; default: the clock's monotonic time. */
  readonly uptime?: () => number;
  /** Whether a time server has set the clock; default: nobody knows. */
  readonly isSynchronised?: () => boolean;
  readonly log?: Log;
  readonly migrations?: readonly Migration[];
}

/** What was lost since the start. */
export interface Losses {
  readonly detections: number;
  readonly events: number;
  readonly messages: number;
}

export interface StoreHealth {
  readonly writable: boolean;
  /** What was wrong at the last attempt to write, and since when (ms); null if nothing was. */
  readonly error: string | null;
  readonly since: number | null;
  readonly dropped: Losses;
  /** Events that wait for the disk. */
  readonly waiting: number;
  /** How often the database was removed, replaced or cut short while it was open, since the start. */
  readonly replaced: number;
}

/** Notifications that wait. */
export type NoticeQueue = Omit<NoticeTable, 'add' | 'newestOf' | 'newest' | 'restore'>;

export interface Store {
  /**
   * Keeps the labels of a frame; `eventIds` has the id of the running event of each label. Of a frame
   * in which nothing has moved, only what it says anew: a still camera leaves the disk alone.
   */
  recordResult(result: Result, eventIds: ReadonlyMap<string, string>, unmoved?: boolean): void;
  /**
   * Writes events, their messages and what rules tell of them in one transaction, at once. True when they are on disk; false
   * when the disk refuses them: they then wait (bounded) and {@link Outbox.onAdded} tells of them.
   */
  recordEvents(
    events: readonly PresenceEvent[],
    messages: readonly OutgoingMessage[],
    notices?: readonly OutgoingNotice[],
  ): boolean;
  /** What rules have to tell, until it has been told. While the disk fails, nothing is there. */
  readonly notices: NoticeQueue;
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
  /**
   * Events by camera and label that began since a time (ms), of one label or (null) of all; those without
   * any are left out.
   */
  countEvents(since: number, label: string | null): readonly EventCount[];
  /** The event of an id; null: it is not there (any more). */
  event(id: string): PresenceEvent | null;
  /** Whether an event is there or waits for the disk; null: while the disk fails, nobody knows. */
  hasEvent(id: string): boolean | null;
  /**
   * The time (ms) by which something kept for so many days may be called too old: the wall clock's where it is
   * believed, else one that has certainly come.
   */
  certainTime(days: number): number;
  /** Events whose id begins so, at most `limit`. */
  eventsLike(prefix: string, limit: number): readonly PresenceEvent[];
  /** Removes an event that is over, with its detections; false: there is none, or the disk refuses. */
  forgetEvent(id: string): boolean;
  /** Applies retention now; it also runs by itself every ten minutes. */
  sweep(): SweepReport & { readonly messages: number };
  /** Looks whether the machine's clock was set; to be called before presence is told of the time. */
  followClock(): void;
  /**
   * Calls `listener` when the machine's clock was set and the times of what was recorded since the
   * start were moved by `step` ms: those of what is still present must be, too. Returns how to end that.
   */
  onClockSet(listener: (step: number) => void): () => void;
  /** Calls `listener` with the ids of events that retention has removed; returns how to end that. */
  onRemoved(listener: (eventIds: readonly string[]) => void): () => void;
  /** Calls `listener` with how long each commit took, ms; returns how to end that. */
  onCommit(listener: (ms: number) => void): () => void;
  /** Of the database on the disk with its write-ahead log. */
  sizeBytes(): number;
  /** From now on; retention with the next sweep. */
  configure(tuning: StoreTuning): void;
  /** Commits what waits. */
  flush(): void;
  health(): StoreHealth;
  /** Commits, empties the write-ahead log and closes. Safe to call twice. */
  close(): void;
}
