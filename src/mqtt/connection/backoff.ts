const FIRST_MS = 1000;
const LAST_MS = 60_000;

/**
 * Waits between attempts: 1 s doubled up to 60 s, each time a random share of the upper half, so that
 * a hundred boards do not come back to a restarted broker in step.
 */
export function createBackoff(options: { readonly random: () => number }): {
  /** Milliseconds until the next attempt. */
  next(): number;
  reset(): void;
} {
  let limit = FIRST_MS;
  return {
    next() {
      const wait = limit * (0.5 + 0.5 * options.random());
      limit = Math.min(limit * 2, LAST_MS);
      return wait;
    },
    reset() {
      limit = FIRST_MS;
    },
  };
}
