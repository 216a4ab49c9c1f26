import type { Database } from 'better-sqlite3';
import type { Box, Result } from '../inference/result.js';
import { boxColumns } from './events.js';
import type { Names } from './names.js';

/** A label seen in one frame, as it is kept. Time in milliseconds; `event` is an event's id. */
export interface Detection {
  readonly time: number;
  readonly camera: string;
  readonly label: string;
  readonly score: number;
  readonly model: string;
  /** Width multiplier; null for a network without one. */
  readonly alpha: number | null;
  readonly size: number;
  readonly box: Box | null;
  readonly event: string | null;
}

/** Camera and label pairs whose last row is remembered. */
const REMEMBERED = 16384;

/** A frame's labels on their way to the database. */
export interface Labelled {
  readonly result: Result;
  /** Id of the running event of each label. */
  readonly eventIds: ReadonlyMap<string, string>;
  /** Labels without an event are kept from this score on. */
  readonly minScore: number;
  /** Nothing has moved in the frame since the one before. */
  readonly unmoved: boolean;
}

/** Milliseconds after which a picture that does not change is noted again. */
const UNMOVED_INTERVAL = 600_000;
/** What a score must differ by to say something new of such a picture. */
const UNMOVED_SCORE = 0.1;

/**
 * Thins results out: of each label of a camera at most one detection per interval (ms) passes, the
 * best-scored object of its frame. A clock that was set back lets the next one pass. Of a frame in
 * which nothing has moved, a label passes with another event or score than in the variant's last row.
 */
export function createThinning(interval: number): (labelled: Labelled) => Detection[] {
  /** When a label of a camera was last kept, and what of it by the variant: rungs take turns on a still picture. */
  const lastTimes = new Map<string, Map<string, number>>();
  const lastRows = new Map<string, Detection>();
  // 5 % early is on time: frames do not arrive on the second.
  const soonest = interval * 0.95;

  function isDue(row: Detection, before: number | undefined, unmoved: boolean): boolean {
    if (before === undefined || row.time < before || !unmoved) return true;
    const same = lastRows.get(keyOf(row));
    if (same === undefined || isNews(same, row)) return true;
    return row.time - same.time >= UNMOVED_INTERVAL * 0.95;
  }

  function timesOf(camera: string): Map<string, number> {
    const known = lastTimes.get(camera);
    if (known !== undefined) return known;
    const made = new Map<string, number>();
    lastTimes.set(camera, made);
    return made;
  }

  return ({ result, eventIds, minScore, unmoved }) => {
    const { time, camera, model, alpha, size } = result;
    const times = timesOf(camera);
    let rows: Map<string, Detection> | null = null;
    for (const { label, score, box } of result.labels) {
      const better = rows?.get(label);
      const before = times.get(label);
      // Most labels of most frames end here.
      if (better === undefined && before !== undefined && time >= before) {
        if (time - before < soonest) continue;
      }
      if (better !== undefined && better.score >= score) continue;
      const event = eventIds.get(label) ?? null;
      if (event === null && score < minScore) continue;
      const row = { time, camera, label, score, model, alpha, size, box, event };
      if (better === undefined && !isDue(row, before, unmoved)) continue;
      if (lastRows.size >= REMEMBERED || times.size >= REMEMBERED) {
        lastTimes.clear();
        lastRows.clear();
        times.clear();
        lastTimes.set(camera, times);
      }
      times.set(label, time);
      lastRows.set(keyOf(row), row);
      rows ??= new Map();
      rows.set(label, row);
    }
    return rows === null ? [] : [...rows.values()];
  };
}

function keyOf({ camera, label, model, alpha, size }: Detection): string {
  return [camera, label, model, alpha, size].join('\n');
}

function isNews(before: Detection, row: Detection): boolean {
  return before.event !== row.event || Math.abs(before.score - row.score) >= UNMOVED_SCORE;
}

export function createDetectionTable(
  database: Database,
  names: Names,
): { write(row: Detection): void } {
  const write = database.prepare(
    `INSERT INTO detection (time, camera, label, variant, score, x, y, width, height, event)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT id FROM event WHERE uid = ?))`,
  );
  return {
    write(row) {
      write.run(
        Math.round(row.time),
        names.camera(row.camera),
        names.label(row.label),
        names.variant(row.model, row.alpha, row.size),
        row.score,
        ...boxColumns(row.box),
        row.event,
      );
    },
  };
}
