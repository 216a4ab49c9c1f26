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
  readonly alpha: number;
  readonly size: number;
  readonly box: Box | null;
  readonly event: string | null;
}

/** Camera and label pairs whose last row is remembered. */
const REMEMBERED = 16384;

/**
 * Thins results out: of each label of a camera at most one detection per interval passes, the
 * best-scored object of its frame. A clock that was set back lets the next one pass.
 */
export function createThinning(
  interval: number,
): (result: Result, eventIds: ReadonlyMap<string, string>, minScore: number) => Detection[] {
  const last = new Map<string, number>();

  function due(key: string, time: number): boolean {
    const before = last.get(key);
    // 5 % early is on time: frames do not arrive on the second.
    return before === undefined || time < before || time - before >= interval * 0.95;
  }

  return (result, eventIds, minScore) => {
    const rows = new Map<string, Detection>();
    for (const { label, score, box } of result.labels) {
      const event = eventIds.get(label) ?? null;
      const better = rows.get(label);
      if (better !== undefined && better.score >= score) continue;
      if (event === null && score < minScore) continue;
      const key = `${result.camera}\n${label}`;
      if (better === undefined && !due(key, result.time)) continue;
      if (last.size >= REMEMBERED) last.clear();
      last.set(key, result.time);
      const { time, camera, model, alpha, size } = result;
      rows.set(label, { time, camera, label, score, model, alpha, size, box, event });
    }
    return [...rows.values()];
  };
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
