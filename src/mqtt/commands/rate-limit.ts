import type { Clock } from '../../time.js';

/** A token bucket: `burst` at once, `perSecond` in the long run. */
export function createRateLimit(options: {
  readonly perSecond: number;
  readonly burst: number;
  /** Monotonic, milliseconds. */
  readonly clock: Pick<Clock, 'now'>;
}): { take(): boolean } {
  const { perSecond, burst, clock } = options;
  let tokens = burst;
  let filledAt = clock.now();
  return {
    take() {
      const time = clock.now();
      tokens = Math.min(burst, tokens + ((time - filledAt) / 1000) * perSecond);
      filledAt = time;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
