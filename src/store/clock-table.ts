import type { Database } from 'better-sqlite3';
import type { ClockMemory } from './believed-clock.js';

const ROWS_PER_STEP = 1000;

/** Newest ids of a moment: what has larger ones was written since. */
export interface Watermark {
  readonly detection: number;
  readonly event: number;
}

/** Statements about the times of rows; each may throw what SQLite says. Times in ms. */
export interface ClockTable {
  memory(): ClockMemory | null;
  remember(memory: ClockMemory): void;
  /** Time of the newest row; null without rows. */
  newestRow(): number | null;
  watermark(): Watermark;
  /** Moves events written since by `step`. */
  shiftEvents(since: Watermark, step: number): void;
  /** Moves some detections above an id and up to another; returns the last id moved, or null. */
  shiftDetections(above: number, upTo: number, step: number): number | null;
  /** Latest time of any event or detection, when it is after `time`. */
  future(time: number): number | null;
  /** Moves some rows of after `time` back by `step`; returns how many. */
  pullBack(time: number, step: number): number;
}

export function createClockTable(database: Database): ClockTable {
  const memory = database.prepare<[], ClockMemory>(
    'SELECT mark, share_at AS "shareAt" FROM clock LIMIT 1',
  );
  const forget = database.prepare('DELETE FROM clock');
  const insert = database.prepare('INSERT INTO clock (mark, share_at) VALUES (?, ?)');
  const remember = database.transaction(({ mark, shareAt }: ClockMemory) => {
    forget.run();
    insert.run(Math.round(mark), shareAt === null ? null : Math.round(shareAt));
  });
  const newest = database
    .prepare<[], number | null>(
      `SELECT max((SELECT coalesce(max(time), 0) FROM detection),
                  (SELECT coalesce(max(start), 0) FROM event))`,
    )
    .pluck();
  const ids = database.prepare<[], Watermark>(
    `SELECT (SELECT coalesce(max(id), 0) FROM detection) AS detection,
            (SELECT coalesce(max(id), 0) FROM event) AS event`,
  );
  const shiftEvents = database.prepare(
    `UPDATE event SET start = start + @step, end = end + @step, updated = updated + @step
     WHERE id > @id`,
  );
  const lastOfStep = database
    .prepare<[number, number], number | null>(
      `SELECT max(id) FROM
       (SELECT id FROM detection WHERE id > ? AND id <= ? ORDER BY id LIMIT ${ROWS_PER_STEP})`,
    )
    .pluck();
  const shift = database.prepare('UPDATE detection SET time = time + ? WHERE id > ? AND id <= ?');
  const pullEvents = database.prepare(
    `UPDATE event SET start = start - @step, end = end - @step, updated = updated - @step
     WHERE id IN (SELECT id FROM event WHERE start > @time LIMIT ${ROWS_PER_STEP})`,
  );
  const pullDetections = database.prepare(
    `UPDATE detection SET time = time - @step
     WHERE id IN (SELECT id FROM detection WHERE time > @time LIMIT ${ROWS_PER_STEP})`,
  );
  const pullMessages = database.prepare('UPDATE outbox SET created = @time WHERE created > @time');
  const dropDecisions = database.prepare('DELETE FROM governor WHERE time > ?');

  return {
    memory: () => memory.get() ?? null,
    remember: (value) => void remember.immediate(value),
    newestRow: () => newest.get() || null,
    watermark: () => ids.get() ?? { detection: 0, event: 0 },
    shiftEvents: ({ event: id }, step) => void shiftEvents.run({ id, step: Math.round(step) }),
    shiftDetections(above, upTo, step) {
      const last = lastOfStep.get(above, upTo) ?? null;
      if (last !== null) shift.run(Math.round(step), above, last);
      return last;
    },
    future(time) {
      const latest = newest.get() ?? 0;
      return latest > time ? latest : null;
    },
    pullBack(time, step) {
      const values = { time: Math.round(time), step: Math.round(step) };
      pullMessages.run({ time: values.time });
      dropDecisions.run(values.time);
      return pullEvents.run(values).changes + pullDetections.run(values).changes;
    },
  };
}
