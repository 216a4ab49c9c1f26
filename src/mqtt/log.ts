/** The part of a structured logger that MQTT speaks to; a pino logger fits. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** What MQTT waits with; Node's functions fit. Milliseconds. */
export interface Timers {
  setTimeout(callback: () => void, delay: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** Real timers that do not keep a process alive by themselves. */
export const REAL_TIMERS: Timers = {
  setTimeout: (callback, delay) => setTimeout(callback, delay).unref(),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout | undefined),
};
