import type { Log } from './log.js';

const REPORT_MS = 60_000;

/** Counts what is refused and tells of it once a minute, with the count. */
export interface Refusals {
  note(fields: object, message: string): void;
  total(): number;
}

/** @param monotonic milliseconds */
export function createRefusals(log: Log, monotonic: () => number): Refusals {
  let total = 0;
  let reportedAt = Number.NEGATIVE_INFINITY;
  return {
    note(fields, message) {
      total++;
      if (monotonic() - reportedAt < REPORT_MS) return;
      reportedAt = monotonic();
      log.warn({ ...fields, refused: total }, message);
    },
    total: () => total,
  };
}
