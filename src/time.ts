/** Time as every part sees it; tests give their own. */
export interface Clock {
  /** Monotonic milliseconds: for intervals and deadlines. */
  now(): number;
  /** Milliseconds since 1970 by the machine's clock, which can be set: for what people read. */
  wall(): number;
  /** Runs `run` after `ms` milliseconds unless the returned function is called before. */
  setTimer(run: () => void, ms: number): () => void;
}

/** The machine's time; its timers keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer(run, ms) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** The machine's time for work in the background: its timers do not keep a process alive. */
export const backgroundClock: Clock = {
  ...systemClock,
  setTimer(run, ms) {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** Runs `run` every `ms` milliseconds, the first time after one of them, until the returned function is called. */
export function every(clock: Clock, ms: number, run: () => void): () => void {
  let cancel = clock.setTimer(next, ms);
  function next(): void {
    cancel = clock.setTimer(next, ms);
    run();
  }
  return () => cancel();
}

/** Resolves after `ms` milliseconds, or at once when the signal is (or becomes) aborted. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const cancel = clock.setTimer(wake, ms);
    signal?.addEventListener('abort', wake, { once: true });
  });
}

/** Resolves when `work` does, or after `ms` milliseconds; then no timer is left that keeps the process alive. */
export async function waitAtMost(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  try {
    await Promise.race([work, sleep(clock, ms, enough.signal)]);
  } finally {
    enough.abort();
  }
}

/** Waits between attempts, each longer than the one before. */
export interface Backoff {
  /** Milliseconds until the next attempt. */
  next(): number;
  /** What was tried has worked: the next wait is the first one again. */
  reset(): void;
}

export interface BackoffOptions {
  /** The first and the longest wait, ms; default 1 s and 60 s. */
  readonly firstMs?: number;
  readonly lastMs?: number;
  /** 0 to 1; default: chance. */
  readonly random?: () => number;
}

/**
 * Exponential back-off: the first wait doubled up to the longest, each time a random share of the upper
 * half, so that a hundred boards do not come back to a restarted broker in step.
 */
export function createBackoff(options: BackoffOptions = {}): Backoff {
  const { firstMs = 1000, lastMs = 60_000, random = Math.random } = options;
  let limit = firstMs;
  return {
    next() {
      const wait = limit * (0.5 + 0.5 * random());
      limit = Math.min(limit * 2, lastMs);
      return wait;
    },
    reset() {
      limit = firstMs;
    },
  };
}
