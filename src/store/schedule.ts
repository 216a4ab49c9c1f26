import type { Clock } from '../time.js';

/** Timers by purpose: while one is pending, another request for the same purpose changes nothing. */
export class Schedule {
  readonly #clock: Clock;
  readonly #pending = new Map<string, () => void>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `action` after `delay` milliseconds. */
  after(purpose: string, delay: number, action: () => void): void {
    if (this.#stopped || this.#pending.has(purpose)) return;
    const run = () => {
      this.#pending.delete(purpose);
      action();
    };
    this.#pending.set(purpose, this.#clock.setTimer(run, delay));
  }

  /** Cancels everything, for good. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#pending.values()) cancel();
    this.#pending.clear();
  }
}
