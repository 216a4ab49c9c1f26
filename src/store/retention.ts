import type { Database } from 'better-sqlite3';

export interface Retention {
  readonly days: number;
  /** Bytes of live data in the database file. */
  readonly maxBytes: number;
}

export interface SweepReport {
  readonly detections: number;
  readonly events: number;
  /** True when the work of one sweep was used up and more is left to remove. */
  readonly more: boolean;
}

const ROWS_PER_STEP = 1000;
/** Bounds the time one sweep holds the thread: 20 steps are about 0.1 s on a small board. */
const STEPS_PER_SWEEP = 20;
/** Size is brought down to this share of the limit, so that a sweep lasts for a while. */
const SIZE_TARGET = 0.9;
/** Free pages that are left for new rows; giving them all back would only wear the card. */
const FREE_PAGES_KEPT = 1024;
const PAGES_PER_VACUUM = 512;
const DAY_MS = 86_400_000;

/** Removes what is too old or too much, oldest first, detections before ended events. */
export function createRetention(
  database: Database,
  limits: Retention,
): { sweep(now: number): SweepReport } {
  const oldDetections = database.prepare(
    `DELETE FROM detection WHERE id IN
     (SELECT id FROM detection WHERE time < ? ORDER BY time LIMIT ${ROWS_PER_STEP})`,
  );
  const oldEvents = database.prepare(
    `DELETE FROM event WHERE id IN
     (SELECT id FROM event WHERE start < ? AND end IS NOT NULL ORDER BY start LIMIT ${ROWS_PER_STEP})`,
  );

  const oldDecisions = database.prepare(
    `DELETE FROM governor WHERE time IN
     (SELECT time FROM governor WHERE time < ? ORDER BY time LIMIT ${ROWS_PER_STEP})`,
  );

  function pragma(name: string): number {
    return Number(database.pragma(name, { simple: true }));
  }

  function liveBytes(): number {
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  }

  function giveBack(): void {
    const surplus = pragma('freelist_count') - FREE_PAGES_KEPT;
    if (surplus > 0) database.pragma(`incremental_vacuum(${Math.min(surplus, PAGES_PER_VACUUM)})`);
  }

  return {
    sweep(now) {
      let steps = 0;
      let detections = 0;
      let events = 0;
      function drop(before: number): boolean {
        steps++;
        const rows = oldDetections.run(before).changes;
        detections += rows;
        if (rows > 0) return true;
        const ended = oldEvents.run(before).changes;
        events += ended;
        return ended > 0;
      }
      const cutoff = now - limits.days * DAY_MS;
      oldDecisions.run(cutoff);
      while (steps < STEPS_PER_SWEEP && drop(cutoff));
      if (liveBytes() > limits.maxBytes) {
        const target = limits.maxBytes * SIZE_TARGET;
        while (steps < STEPS_PER_SWEEP && liveBytes() > target && drop(Number.MAX_SAFE_INTEGER));
      }
      giveBack();
      return { detections, events, more: steps >= STEPS_PER_SWEEP };
    },
  };
}
