import type { Clock } from '../time.js';

/** A wall clock that moved this much more than time passed was set, ms. */
const STEP_MS = 10_000;
/** Between two looks at one clock no more may pass, or the other cannot be compared with it. */
const BLINK_MS = 1000;

/** Notices that the machine's clock was set: a board without a battery starts in the past. */
export class WallClock {
  readonly #clock: Clock;
  readonly #uptime: () => number;
  #last: { readonly wall: number; readonly uptime: number };

  /** `uptime`: milliseconds since the machine's start, sleep included. */
  constructor(clock: Clock, uptime: () => number) {
    this.#clock = clock;
    this.#uptime = uptime;
    this.#last = { wall: clock.wall(), uptime: uptime() };
  }

  /** Milliseconds by which the clock was set since the last call; 0 when it was not. */
  step(): number {
    const before = this.#uptime();
    const wall = this.#clock.wall();
    const uptime = this.#uptime();
    if (uptime - before > BLINK_MS) return 0;
    const step = wall - this.#last.wall - (uptime - this.#last.uptime);
    if (Math.abs(step) < STEP_MS) return 0;
    this.#last = { wall, uptime };
    return step;
  }
}
