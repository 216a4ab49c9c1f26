import type { Database, Statement } from 'better-sqlite3';
import type { Clock } from '../time.js';
import type { AgeLimit } from './believed-clock.js';
import { JOURNAL_SIZE_LIMIT } from './database.js';

export interface Retention {
  readonly days: number;
  /** Bytes that the database takes on the disk, its write-ahead log among them. */
  readonly maxBytes: number;
}

export interface SweepReport {
  readonly detections: number;
  readonly events: number;
  /** True when the work of one sweep was used up and more is left to remove. */
  readonly more: boolean;
}

/** What one sweep has removed. */
export interface Removal extends SweepReport {
  /** Ids of the events that are gone, for what belongs to them outside the database. */
  readonly eventIds: readonly string[];
}

export interface RetentionTable {
  /**
   * Removes what is too old or too much, oldest first, detections before ended events. `share` bounds
   * what is removed only because of the wall clock; null: nothing does.
   */
  sweep(age: AgeLimit, share: Share | null): Removal;
  /** Whether a sweep would remove rows for their size. Takes some µs. */
  isOver(): boolean;
  /** A tenth of the rows there are. */
  share(): Share;
}

/** What a sweep has removed so far. */
interface Removed {
  steps: number;
  detections: number;
  readonly eventIds: string[];
}

/** How many rows may still be removed on one sign alone. */
export interface Share {
  detections: number;
  events: number;
}

/** Rows of a step at first, at least and at most; a step is one transaction. */
const ROWS = { first: 100, least: 25, most: 1000 };
/** What a step and a sweep should take, ms: results wait meanwhile, and so does the disk. */
const STEP_MS = 5;
const SWEEP_MS = 6;
const STEPS_PER_SWEEP = 20;
/** Size is brought down to this share of the limit, so that a sweep lasts for a while. */
const SIZE_TARGET = 0.9;
/** Free pages that are left for new rows, or so large a share; giving them all back would only wear the card. */
const FREE_KEPT = { pages: 1024, share: 1 / 16 };
const PAGES_PER_VACUUM = 64;
/** What may be removed in a day when only one sign speaks for the clock. */
const SHARE = 0.1;

/** Removes what is too old or too much, in steps whose size follows the time that they take. */
export class Sweeper implements RetentionTable {
  readonly #database: Database;
  readonly #limits: Retention;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #oldDetections: Statement<[number, number]>;
  readonly #oldEvents: Statement<[number, number], string>;
  readonly #oldDecisions: Statement<[number, number]>;
  readonly #extent: Statement<[], Share>;
  // Asked after every commit.
  readonly #pages: Statement<[], number>;
  readonly #freePages: Statement<[], number>;
  readonly #pageBytes: number;
  #rowsPerStep = ROWS.first;

  constructor(database: Database, limits: Retention, clock: Pick<Clock, 'now'>) {
    this.#database = database;
    this.#pages = database.prepare<[], number>('PRAGMA page_count').pluck();
    this.#freePages = database.prepare<[], number>('PRAGMA freelist_count').pluck();
    this.#pageBytes = Number(database.pragma('page_size', { simple: true }));
    this.#limits = limits;
    this.#clock = clock;
    this.#oldDetections = database.prepare(
      `DELETE FROM detection WHERE id IN
       (SELECT id FROM detection WHERE time < ? ORDER BY time LIMIT ?)`,
    );
    this.#oldEvents = database
      .prepare<[number, number], string>(
        `DELETE FROM event WHERE id IN
         (SELECT id FROM event WHERE start < ? AND end IS NOT NULL ORDER BY start LIMIT ?)
         RETURNING uid`,
      )
      .pluck();
    this.#oldDecisions = database.prepare(
      `DELETE FROM governor WHERE time IN (SELECT time FROM governor WHERE time < ? ORDER BY time LIMIT ?)`,
    );
    this.#extent = database.prepare(
      `SELECT (SELECT coalesce(max(id) - min(id) + 1, 0) FROM detection) AS detections,
              (SELECT coalesce(max(id) - min(id) + 1, 0) FROM event) AS events`,
    );
  }

  sweep(age: AgeLimit, share: Share | null): Removal {
    const began = this.#clock.now();
    const removed: Removed = { steps: 0, detections: 0, eventIds: [] };
    const hasTime = () => removed.steps < STEPS_PER_SWEEP && this.#clock.now() - began < SWEEP_MS;
    const dropAll = (before: number, bound: Share | null) => {
      while (hasTime()) if (!this.#drop(removed, before, bound)) return false;
      return true;
    };

    let more = dropAll(age.certainCutoff, null);
    this.#oldDecisions.run(age.certainCutoff, this.#rowsPerStep);
    if (age.believed === 'all') more = dropAll(age.cutoff, null) || more;
    if (age.believed === 'share' && share !== null) more = dropAll(age.cutoff, share) || more;
    if (this.isOver()) {
      const target = this.#liveLimit() * SIZE_TARGET;
      let left = true;
      while (left && hasTime() && this.#liveBytes() > target) {
        left = this.#drop(removed, Number.MAX_SAFE_INTEGER, null);
      }
      more ||= left && this.#liveBytes() > target;
    }
    more = this.#giveBack() || more;
    const { detections, eventIds } = removed;
    return { detections, events: eventIds.length, eventIds, more };
  }

  isOver(): boolean {
    return this.#liveBytes() > this.#liveLimit();
  }

  share(): Share {
    const { detections, events } = this.#extent.get() ?? { detections: 0, events: 0 };
    return { detections: Math.floor(detections * SHARE), events: Math.floor(events * SHARE) };
  }

  /** One step; false if nothing was left before the time, or the bound is used up. */
  #drop(removed: Removed, before: number, bound: Share | null): boolean {
    removed.steps += 1;
    const began = this.#clock.now();
    const { changes } = this.#oldDetections.run(before, this.#atMost(bound?.detections));
    removed.detections += changes;
    if (bound !== null) bound.detections -= changes;
    if (changes === 0) {
      const gone = this.#oldEvents.all(before, this.#atMost(bound?.events));
      removed.eventIds.push(...gone);
      if (bound !== null) bound.events -= gone.length;
      if (gone.length === 0) return false;
    }
    this.#adapt(this.#clock.now() - began);
    return true;
  }

  #atMost(bound = Number.POSITIVE_INFINITY): number {
    return Math.max(0, Math.min(this.#rowsPerStep, bound));
  }

  #adapt(stepMs: number): void {
    const rows = this.#rowsPerStep;
    const wanted = stepMs > 0 ? Math.round((rows * STEP_MS) / stepMs) : ROWS.most;
    this.#rowsPerStep = Math.min(ROWS.most, 2 * rows, Math.max(ROWS.least, wanted));
  }

  #liveBytes(): number {
    return ((this.#pages.get() ?? 0) - (this.#freePages.get() ?? 0)) * this.#pageBytes;
  }

  #freePagesKept(): number {
    const { maxBytes } = this.#limits;
    const share = Math.floor((maxBytes * FREE_KEPT.share) / this.#pageBytes);
    return Math.min(FREE_KEPT.pages, share);
  }

  /** Of live rows: free pages and the write-ahead log lie beside them on the disk, and count. */
  #liveLimit(): number {
    const { maxBytes } = this.#limits;
    const beside = this.#freePagesKept() * this.#pageBytes + JOURNAL_SIZE_LIMIT;
    return Math.max(maxBytes / 2, maxBytes - beside);
  }

  /** Gives some of the surplus back to the file system; true if there is more. */
  #giveBack(): boolean {
    const surplus = (this.#freePages.get() ?? 0) - this.#freePagesKept();
    if (surplus > 0) {
      this.#database.pragma(`incremental_vacuum(${Math.min(surplus, PAGES_PER_VACUUM)})`);
    }
    return surplus > PAGES_PER_VACUUM;
  }
}
