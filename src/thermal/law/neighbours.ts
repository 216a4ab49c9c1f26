import type { ForeignCourse } from './forecast.js';

/**
 * Other programs that come and go: what they take now, for how much longer, and what the worst of
 * them took lately. Loads are in units of full inference load.
 */
export interface Neighbours {
  /**
   * Takes a second's foreign load.
   *
   * @param offsetC what no load explains of the temperature; NaN: not known
   */
  update(load: number, offsetC: number, dtS: number): void;
  /** What the others take now, noise smoothed away. */
  readonly now: number;
  /** What they take changed at the last update, by more than noise. */
  readonly stepped: boolean;
  /** Seconds since the last step. */
  readonly steadyS: number;
  /** A neighbour is here: they take clearly more than nothing. */
  readonly visited: boolean;
  /** The course to plan with. */
  expected(): ForeignCourse;
  /** The worst that may begin, or go on, now, as far as was seen lately; null: nothing was seen. */
  worst(): ForeignCourse | null;
}

interface Visit {
  readonly load: number;
  readonly forS: number;
  /** How far the model was off at its end, °C. */
  readonly driftC: number;
  agoS: number;
}

interface Present {
  readonly sum: number;
  readonly forS: number;
  readonly offsetC: number;
  readonly driftC: number;
}

/** A change beyond this is a step; a smaller one may be noise. */
const STEP = 0.1;
const STILL_SHARE = 0.25;
/** A load this much above the rest is a visit; a shorter one than this is none. */
const VISIT = 0.15;
const LEAST_VISIT_S = 2;
/** So many visits are remembered, for so long. */
const MOST_VISITS = 12;
const FORGET_S = 2400;
/** What stays longer is the new rest. */
const MOST_S = 300;
const REST_DOWN_S = 4;
const REST_UP_S = 60;
const MEAN_S = 60;
/** Visits in which a habit is seen; its mean is taken over so long at least, s. */
const HABIT = 2;
const LEAST_SPAN_S = 120;
/** Of the visits that lasted longer than the present one, the part that ends within what is planned. */
const EXPECTED_QUANTILE = 0.7;
const WORST_QUANTILE = 0.9;
/** Of the errors of the model at the ends of visits; only those that leave room are counted on. */
const DRIFT_QUANTILE = 0.7;
/** Without a visit, what is now goes on for so long, s. */
const NEAR_S = 8;
/** The first visits last for so long at least, s; later ones, beyond all that are known, as they did. */
const UNKNOWN_S = 30;
const SHORTEST_S = 2;
/** One visit is no habit: it is not expected to come again for longer than this, s. */
const ONCE_S = 45;

export function createNeighbours(): Neighbours {
  return new RememberedNeighbours();
}

class RememberedNeighbours implements Neighbours {
  #now = 0;
  #stepped = false;
  #steadyS = 0;
  #rest = 0;
  #mean = 0;
  #seenS = 0;
  #visits: Visit[] = [];
  #present: Present | null = null;

  get now(): number {
    return this.#now;
  }

  get stepped(): boolean {
    return this.#stepped;
  }

  get steadyS(): number {
    return this.#steadyS;
  }

  get visited(): boolean {
    return this.#now > VISIT;
  }

  update(load: number, offsetC: number, dtS: number): void {
    this.#stepped = Math.abs(load - this.#now) > STEP;
    this.#steadyS = this.#stepped ? 0 : this.#steadyS + dtS;
    this.#now = this.#stepped ? load : this.#now + (load - this.#now) * STILL_SHARE;
    this.#seenS += dtS;
    this.#mean += (load - this.#mean) * shareIn(dtS, Math.min(MEAN_S, this.#seenS));
    for (const visit of this.#visits) visit.agoS += dtS;
    this.#visits = this.#visits.filter((v) => v.agoS < FORGET_S).slice(-MOST_VISITS);
    if (this.#now > this.#rest + VISIT) this.#stay(load, offsetC, dtS);
    else this.#leave(dtS);
  }

  expected(): ForeignCourse {
    const thenLoad = this.#usual();
    if (this.#present === null) return { load: this.#now, forS: NEAR_S, thenLoad, driftC: 0 };
    return { load: this.#now, forS: this.#left(EXPECTED_QUANTILE), thenLoad, driftC: 0 };
  }

  worst(): ForeignCourse | null {
    const thenLoad = this.#rest;
    if (this.#present !== null) {
      const forS = Math.min(MOST_S, this.#left(WORST_QUANTILE));
      // The part of the model's error that is still to come.
      const driftC = (this.#drift() * forS) / (this.#present.forS + forS);
      return { load: this.#now, forS, thenLoad, driftC };
    }
    if (this.#visits.length === 0) return null;
    const of = (value: (visit: Visit) => number) =>
      quantileOf(this.#visits.map(value), WORST_QUANTILE);
    const most = this.#visits.length >= HABIT ? MOST_S : ONCE_S;
    return {
      load: of((v) => v.load),
      forS: Math.min(
        most,
        of((v) => v.forS),
      ),
      thenLoad,
      driftC: this.#drift(),
    };
  }

  #stay(load: number, offsetC: number, dtS: number): void {
    const before = this.#present;
    const startC = before?.offsetC ?? offsetC;
    const driftC = offsetC - startC;
    this.#present = {
      sum: (before?.sum ?? 0) + load * dtS,
      forS: (before?.forS ?? 0) + dtS,
      offsetC: startC,
      driftC: Number.isFinite(driftC) ? driftC : 0,
    };
    if (this.#present.forS < MOST_S) return;
    this.#rest = this.#now;
    this.#leave(dtS);
  }

  #leave(dtS: number): void {
    const { sum, forS, driftC } = this.#present ?? { sum: 0, forS: 0, driftC: 0 };
    if (forS >= LEAST_VISIT_S) this.#visits.push({ load: sum / forS, forS, driftC, agoS: 0 });
    this.#present = null;
    const tau = this.#now < this.#rest ? REST_DOWN_S : REST_UP_S;
    this.#rest += (this.#now - this.#rest) * shareIn(dtS, tau);
  }

  /** Seconds the present visit will go on: as earlier ones did, else as long as it has lasted. */
  #left(quantile: number): number {
    const gone = this.#present?.forS ?? 0;
    const longer = this.#visits.filter((v) => v.forS > gone).map((v) => v.forS - gone);
    if (longer.length > 0) return Math.max(SHORTEST_S, quantileOf(longer, quantile));
    return Math.max(gone, this.#visits.length > HABIT ? SHORTEST_S : UNKNOWN_S);
  }

  /** What the others take on average, when they are known to come and go. */
  #usual(): number {
    const habit = this.#visits.filter((v) => v.forS < MOST_S);
    if (habit.length < HABIT) return this.#present === null ? this.#now : this.#mean;
    const spanS = Math.max(LEAST_SPAN_S, ...habit.map((v) => v.agoS + v.forS));
    const more = habit.reduce((sum, v) => sum + Math.max(0, v.load - this.#rest) * v.forS, 0);
    return this.#rest + more / spanS;
  }

  /** What a fan or the air did in earlier visits that the model does not know, °C; never above 0. */
  #drift(): number {
    if (this.#visits.length === 0) return 0;
    const drifts = this.#visits.map((v) => v.driftC);
    return Math.min(0, quantileOf(drifts, DRIFT_QUANTILE));
  }
}

function shareIn(dtS: number, tauS: number): number {
  return 1 - Math.exp(-dtS / tauS);
}

function quantileOf(values: readonly number[], quantile: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? 0;
}
