import type { Clock } from '../time.js';

/** Timers by purpose: while one is pending, another request for the same purpose changes nothing. */
export class Schedule {
  readonly #clock: Clock;
  readonly #pending = new Map<string, { readonly at: number; readonly cancel: () => void }>();
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
    const at = this.#clock.now() + delay;
    this.#pending.set(purpose, { at, cancel: this.#clock.setTimer(run, delay) });
  }

  /** As {@link after}; what waits longer for the same purpose is done then as well. */
  soon(purpose: string, delay: number, action: () => void): void {
    const pending = this.#pending.get(purpose);
    if (pending !== undefined && pending.at > this.#clock.now() + delay) {
      pending.cancel();
      this.#pending.delete(purpose);
    }
    this.after(purpose, delay, action);
  }

  /** Cancels everything, for good. */
  stop(): void {
    this.#stopped = true;
    for (const { cancel } of this.#pending.values()) cancel();
    this.#pending.clear();
  }
}
