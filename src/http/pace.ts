import { type Clock, sleep } from '../time.js';

/** Requests a second, of everybody together: sixteen viewers of several cameras ask for less. */
const PER_SECOND = 250;
/** Requests that may come at once before any of them waits. */
const BURST = 500;
/** Whoever would have to wait longer is turned away, ms. */
const MAX_WAIT_MS = 4000;

/** How fast requests are looked at: who floods the page waits, the frames do not. */
export class Pace {
  readonly #clock: Clock;
  /** When the last request that was let in is due, monotonic ms, ahead of the clock by those who wait. */
  #dueAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with whether the request may go on, after its wait. */
  async keep(signal: AbortSignal): Promise<boolean> {
    const now = this.#clock.now();
    const due = Math.max(now - (1000 * BURST) / PER_SECOND, this.#dueAt) + 1000 / PER_SECOND;
    if (due - now > MAX_WAIT_MS) return false;
    this.#dueAt = due;
    if (due > now) await sleep(this.#clock, due - now, signal);
    return true;
  }
}
