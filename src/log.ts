import { type Clock, systemClock } from './time.js';

/** The part of a structured logger that the rooms speak to; a pino logger fits. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Logs what fails again and again without flooding. */
export interface RepeatingLog {
  /**
   * Logs at once when the last line of `key` is at least the interval old; otherwise counts. The
   * next line of the key then says how many were left out.
   */
  info(key: string, message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(key: string, message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(key: string, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** The failure is over: tells what was left out, and the next failure is logged at once. */
  recovered(key: string, message: string): void;
}

const MINUTE_MS = 60_000;

export interface RepeatingLogOptions {
  /** Least time between two lines of a key, ms; default a minute. */
  readonly interval?: number;
  readonly clock?: Pick<Clock, 'now'>;
  /** Keys that are remembered; the oldest is forgotten. */
  readonly capacity?: number;
}

export function createRepeatingLog(
  log: Pick<Log, 'info' | 'warn' | 'error'>,
  options: RepeatingLogOptions = {},
): RepeatingLog {
  const { interval = MINUTE_MS, clock = systemClock, capacity = 256 } = options;
  const seen = new Map<string, { since: number; skipped: number }>();

  const repeat = (
    level: 'info' | 'warn' | 'error',
    key: string,
    message: string,
    fields: Readonly<Record<string, unknown>>,
  ) => {
    const now = clock.now();
    const entry = seen.get(key);
    if (entry !== undefined && now - entry.since < interval) {
      entry.skipped += 1;
      return;
    }
    remember(key, now);
    const skipped = entry?.skipped ?? 0;
    if (skipped === 0) log[level]({ ...fields }, message);
    else
      log[level]({ ...fields, repeated: skipped }, `${message} (${skipped}× since the last line)`);
  };

  const remember = (key: string, now: number) => {
    seen.delete(key);
    seen.set(key, { since: now, skipped: 0 });
    const [oldest] = seen.keys();
    if (seen.size > capacity && oldest !== undefined) seen.delete(oldest);
  };

  return {
    info: (key, message, fields = {}) => repeat('info', key, message, fields),
    warn: (key, message, fields = {}) => repeat('warn', key, message, fields),
    error: (key, message, fields = {}) => repeat('error', key, message, fields),
    recovered(key, message) {
      const entry = seen.get(key);
      if (entry === undefined) return;
      seen.delete(key);
      if (entry.skipped === 0) log.info({}, message);
      else log.info({ repeated: entry.skipped }, `${message} (${entry.skipped}× not shown)`);
    },
  };
}
