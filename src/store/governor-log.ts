import type { Database } from 'better-sqlite3';

/** A minute of the governor, or a change of the rungs it mixes. */
export interface GovernorEntry {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly mode: string;
  /** Names of the variants that are mixed; `fraction` of the frames go to `high`. */
  readonly low: string;
  readonly high: string;
  readonly fraction: number;
  /** Frames a second. */
  readonly fps: number;
  /** Filtered temperature and limit, °C. */
  readonly temperature: number | null;
  readonly limit: number;
  /** Fraction of each second that may be spent in inference, 0 to 1. */
  readonly budget: number;
  readonly reason: string;
}

/** Statements of the governor's log; each may throw what SQLite says. */
export interface GovernorTable {
  add(entry: GovernorEntry): void;
  /** The newest entries since a time, oldest first. */
  since(time: number, limit: number): GovernorEntry[];
}

export function createGovernorTable(database: Database): GovernorTable {
  const add = database.prepare<[GovernorEntry]>(
    `INSERT OR REPLACE INTO governor
     (time, mode, low, high, fraction, fps, temperature, max, budget, reason)
     VALUES (@time, @mode, @low, @high, @fraction, @fps, @temperature, @limit, @budget, @reason)`,
  );
  const since = database.prepare<[number, number], GovernorEntry>(
    `SELECT time, mode, low, high, fraction, fps, temperature, max AS "limit", budget, reason
     FROM (SELECT * FROM governor WHERE time >= ? ORDER BY time DESC LIMIT ?) ORDER BY time`,
  );
  return {
    add: (entry) => void add.run(entry),
    since: (time, limit) => since.all(time, limit),
  };
}
