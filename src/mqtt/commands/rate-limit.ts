/** A token bucket: `burst` at once, `perSecond` in the long run. */
export function createRateLimit(options: {
  readonly perSecond: number;
  readonly burst: number;
  /** Monotonic, milliseconds. */
  readonly monotonic: () => number;
}): { take(): boolean } {
  const { perSecond, burst, monotonic } = options;
  let tokens = burst;
  let filledAt = monotonic();
  return {
    take() {
      const time = monotonic();
      tokens = Math.min(burst, tokens + ((time - filledAt) / 1000) * perSecond);
      filledAt = time;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
