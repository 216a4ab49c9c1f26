import { type Clock, sleep } from '../time.js';

/** How many requests are looked at. */
export interface Rate {
  readonly perSecond: number;
  /** May come at once before any of them waits. */
  readonly burst: number;
}

/** Of all viewers together: sixteen of several cameras ask for less. */
export const VIEWERS: Rate = { perSecond: 250, burst: 500 };
/** Of all who are nobody known: they have a page to load and a login to try. */
export const STRANGERS: Rate = { perSecond: 100, burst: 200 };
/** Whoever would have to wait longer is turned away, ms. */
const MAX_WAIT_MS = 4000;

/** How fast requests are looked at: who floods the page waits, the frames do not. */
export class Pace {
  readonly #rate: Rate;
  readonly #clock: Clock;
  /** When the last request that was let in is due, monotonic ms, ahead of the clock by those who wait. */
  #dueAt = Number.NEGATIVE_INFINITY;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Resolves with whether the request may go on, after its wait. */
  async keep(signal: AbortSignal): Promise<boolean> {
    const now = this.#clock.now();
    const { perSecond, burst } = this.#rate;
    const due = Math.max(now - (1000 * burst) / perSecond, this.#dueAt) + 1000 / perSecond;
    if (due - now > MAX_WAIT_MS) return false;
    this.#dueAt = due;
    if (due > now) await sleep(this.#clock, due - now, signal);
    return true;
  }
}
