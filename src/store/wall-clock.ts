import type { Clock } from '../time.js';

/** A wall clock that moved this much more than the monotonic one was set. */
const STEP_MS = 3_600_000;

/** Notices that the machine's clock was set: a board without a battery starts in the past. */
export class WallClock {
  readonly #clock: Clock;
  #last: { readonly wall: number; readonly monotonic: number };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = { wall: clock.wall(), monotonic: clock.now() };
  }

  /** Milliseconds by which the clock was set since the last call; 0 when it was not. */
  step(): number {
    const now = { wall: this.#clock.wall(), monotonic: this.#clock.now() };
    const step = now.wall - this.#last.wall - (now.monotonic - this.#last.monotonic);
    this.#last = now;
    return Math.abs(step) < STEP_MS ? 0 : step;
  }
}
