/** Part of the governor's budget that the second network may take in the long run. */
const SHARE = 0.25;
/** What is saved up while nothing is looked at, ms of runs. */
const MOST_SAVED_MS = 1000;

/**
 * What the second network may spend of the governor's budget: a token bucket that fills with a share of
 * it. One run may overdraw it, and is paid off before the next: a network that takes longer than all that
 * is saved still has its turn.
 */
export class Allowance {
  #savedMs = MOST_SAVED_MS;
  #at: number | null = null;

  /**
   * @param budget fraction of each second that may be spent in inference, 0 to 1
   * @param now monotonic ms
   */
  allows(budget: number, now: number): boolean {
    const passed = this.#at === null ? 0 : Math.max(0, now - this.#at);
    this.#at = now;
    this.#savedMs = Math.min(MOST_SAVED_MS, this.#savedMs + passed * SHARE * budget);
    return budget > 0 && this.#savedMs > 0;
  }

  /** @param ms of inference that were taken */
  spend(ms: number): void {
    this.#savedMs -= ms;
  }
}
