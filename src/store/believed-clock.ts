import type { Clock } from '../time.js';

const DAY_MS = 86_400_000;

/** What the database remembers of time between two starts; milliseconds since the epoch. */
export interface ClockMemory {
  /** The latest time that was believed. */
  readonly mark: number;
  /** When a share of rows was last removed on one sign alone; null: never. */
  readonly shareAt: number | null;
}

/** What may be removed for its age. */
export interface AgeLimit {
  /** Rows before this are too old if the wall clock is right. */
  readonly cutoff: number;
  /** Rows before this are too old whatever the wall clock says. */
  readonly certainCutoff: number;
  /** `all`: the clock is believed; `share`: on one sign, a part at a time; `none`: it is not. */
  readonly believed: 'all' | 'share' | 'none';
}

/**
 * How far the wall clock is believed when rows are removed for their age: a board without a battery
 * can start with any time, and what is removed does not come back.
 *
 * There are three signs that the clock is right: a time server has set it; it is not further ahead of
 * the time believed last than the retention; and it has run for a day without being set. Two of them
 * are enough for everything, and one (but for the last) for a share. The time believed last grows by
 * the monotonic clock while the daemon runs, so a row that is old by that is old for certain.
 */
export class BelievedClock {
  readonly #clock: Clock;
  readonly #isSynchronised: () => boolean;
  #mark: number;
  #markedAt: number;
  #shareAt: number | null;
  /** Monotonic time since when the wall clock was not set. */
  #steadySince: number;

  /** `newestRow`: the time of the newest row, for a database that does not remember any time yet. */
  constructor(
    clock: Clock,
    isSynchronised: () => boolean,
    memory: ClockMemory | null,
    newestRow: number | null,
  ) {
    this.#clock = clock;
    this.#isSynchronised = isSynchronised;
    this.#mark = memory?.mark ?? Math.min(newestRow ?? clock.wall(), clock.wall());
    this.#shareAt = memory?.shareAt ?? null;
    this.#markedAt = clock.now();
    this.#steadySince = clock.now();
  }

  /** The time that has certainly come, ms. */
  certain(): number {
    return Math.min(this.#grown(), this.#clock.wall());
  }

  memory(): ClockMemory {
    return { mark: this.#grown(), shareAt: this.#shareAt };
  }

  /** The wall clock was set. */
  wasSet(): void {
    this.#steadySince = this.#clock.now();
  }

  /** Whether a time server or a steady day speaks for the clock: future rows are then wrong. */
  isRight(): boolean {
    return this.#isSynchronised() || this.#isSteady();
  }

  limit(days: number): AgeLimit {
    const now = this.#clock.wall();
    const near = now - this.#grown() <= days * DAY_MS;
    const synchronised = this.#isSynchronised();
    const signs = [near, synchronised, this.#isSteady()].filter(Boolean).length;
    const believed = signs >= 2 ? 'all' : near || synchronised ? 'share' : 'none';
    if (believed === 'all') {
      this.#mark = now;
      this.#markedAt = this.#clock.now();
    }
    const span = days * DAY_MS;
    return { cutoff: now - span, certainCutoff: this.certain() - span, believed };
  }

  /** Whether a day has passed since a share was removed; if so, another may be, from now on. */
  takeShare(): boolean {
    const time = this.#grown();
    if (this.#shareAt !== null && time - this.#shareAt < DAY_MS) return false;
    this.#shareAt = time;
    return true;
  }

  #grown(): number {
    return this.#mark + this.#clock.now() - this.#markedAt;
  }

  #isSteady(): boolean {
    return this.#clock.now() - this.#steadySince >= DAY_MS;
  }
}
