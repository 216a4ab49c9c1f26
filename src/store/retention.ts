import type { Database } from 'better-sqlite3';
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

export function createRetention(
  database: Database,
  limits: Retention,
  clock: Pick<Clock, 'now'>,
): RetentionTable {
  const oldDetections = database.prepare(
    `DELETE FROM detection WHERE id IN
     (SELECT id FROM detection WHERE time < ? ORDER BY time LIMIT ?)`,
  );
  const oldEvents = database
    .prepare<[number, number], string>(
      `DELETE FROM event WHERE id IN
       (SELECT id FROM event WHERE start < ? AND end IS NOT NULL ORDER BY start LIMIT ?)
       RETURNING uid`,
    )
    .pluck();
  const oldDecisions = database.prepare(
    `DELETE FROM governor WHERE time IN (SELECT time FROM governor WHERE time < ? ORDER BY time LIMIT ?)`,
  );
  const extent = database.prepare<[], Share>(
    `SELECT (SELECT coalesce(max(id) - min(id) + 1, 0) FROM detection) AS detections,
            (SELECT coalesce(max(id) - min(id) + 1, 0) FROM event) AS events`,
  );
  let rowsPerStep = ROWS.first;

  function pragma(name: string): number {
    return Number(database.pragma(name, { simple: true }));
  }

  function liveBytes(): number {
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  }

  function freePagesKept(): number {
    const share = Math.floor((limits.maxBytes * FREE_KEPT.share) / pragma('page_size'));
    return Math.min(FREE_KEPT.pages, share);
  }

  /** Of live rows: free pages and the write-ahead log lie beside them on the disk, and count. */
  function liveLimit(): number {
    const { maxBytes } = limits;
    const beside = freePagesKept() * pragma('page_size') + JOURNAL_SIZE_LIMIT;
    return Math.max(maxBytes / 2, maxBytes - beside);
  }

  function isOver(): boolean {
    return liveBytes() > liveLimit();
  }

  /** Gives some of the surplus back to the file system; true if there is more. */
  function giveBack(): boolean {
    const surplus = pragma('freelist_count') - freePagesKept();
    if (surplus > 0) database.pragma(`incremental_vacuum(${Math.min(surplus, PAGES_PER_VACUUM)})`);
    return surplus > PAGES_PER_VACUUM;
  }

  function sweep(age: AgeLimit, share: Share | null): Removal {
    const began = clock.now();
    const eventIds: string[] = [];
    let steps = 0;
    let detections = 0;

    /** One step; false if nothing was left before the time, or the bound is used up. */
    function drop(before: number, bound: Share | null): boolean {
      steps += 1;
      const stepBegan = clock.now();
      const removed = oldDetections.run(before, atMost(bound?.detections)).changes;
      detections += removed;
      if (bound !== null) bound.detections -= removed;
      if (removed === 0) {
        const gone = oldEvents.all(before, atMost(bound?.events));
        eventIds.push(...gone);
        if (bound !== null) bound.events -= gone.length;
        if (gone.length === 0) return false;
      }
      adapt(clock.now() - stepBegan);
      return true;
    }

    const hasTime = () => steps < STEPS_PER_SWEEP && clock.now() - began < SWEEP_MS;
    const dropAll = (before: number, bound: Share | null) => {
      while (hasTime()) if (!drop(before, bound)) return false;
      return true;
    };

    let more = dropAll(age.certainCutoff, null);
    oldDecisions.run(age.certainCutoff, rowsPerStep);
    if (age.believed === 'all') more = dropAll(age.cutoff, null) || more;
    if (age.believed === 'share' && share !== null) more = dropAll(age.cutoff, share) || more;
    if (isOver()) {
      const target = liveLimit() * SIZE_TARGET;
      let left = true;
      while (left && hasTime() && liveBytes() > target) left = drop(Number.MAX_SAFE_INTEGER, null);
      more ||= left && liveBytes() > target;
    }
    more = giveBack() || more;
    return { detections, events: eventIds.length, eventIds, more };
  }

  function atMost(bound = Number.POSITIVE_INFINITY): number {
    return Math.max(0, Math.min(rowsPerStep, bound));
  }

  function adapt(stepMs: number): void {
    const wanted = stepMs > 0 ? Math.round((rowsPerStep * STEP_MS) / stepMs) : ROWS.most;
    rowsPerStep = Math.min(ROWS.most, 2 * rowsPerStep, Math.max(ROWS.least, wanted));
  }

  return {
    sweep,
    isOver,
    share() {
      const { detections, events } = extent.get() ?? { detections: 0, events: 0 };
      return { detections: Math.floor(detections * SHARE), events: Math.floor(events * SHARE) };
    },
  };
}
