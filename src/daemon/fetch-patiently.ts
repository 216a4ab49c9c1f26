import { type Clock, createBackoff, sleep, systemClock } from '../time.js';

export interface Patience {
  readonly signal: AbortSignal | undefined;
  /** Whether the next try may succeed where this one failed. */
  readonly mayPass: (error: unknown) => boolean;
  /** Told of each failure that is followed by another try, `waitMs` later. */
  readonly onTrouble: (error: unknown, waitMs: number) => void;
  readonly clock?: Clock;
}

const RETRY = { firstMs: 5000, lastMs: 300_000 };

/**
 * Fetches a network until it is there: at first after 5 s, at last every five minutes.
 *
 * @throws what no further try can mend, and what `fetch` throws, or the signal's reason, once it is aborted
 */
export async function fetchPatiently<T>(
  fetch: () => Promise<T>,
  { signal, mayPass, onTrouble, clock = systemClock }: Patience,
): Promise<T> {
  const backoff = createBackoff(RETRY);
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await fetch();
    } catch (error) {
      if (signal?.aborted || !mayPass(error)) throw error;
      const waitMs = backoff.next();
      onTrouble(error, waitMs);
      await sleep(clock, waitMs, signal);
    }
  }
}
