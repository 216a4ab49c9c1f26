import type { Timers } from './log.js';

/** Timers by purpose: while one is pending, another request for the same purpose changes nothing. */
export interface Schedule {
  /** Calls `action` after `delay` milliseconds. */
  after(purpose: string, delay: number, action: () => void): void;
  /** Cancels everything, for good. */
  stop(): void;
}

export function createSchedule(timers: Timers): Schedule {
  const pending = new Map<string, unknown>();
  let stopped = false;
  return {
    after(purpose, delay, action) {
      if (stopped || pending.has(purpose)) return;
      const run = () => {
        pending.delete(purpose);
        action();
      };
      pending.set(purpose, timers.setTimeout(run, delay));
    },
    stop() {
      stopped = true;
      for (const handle of pending.values()) timers.clearTimeout(handle);
      pending.clear();
    },
  };
}
