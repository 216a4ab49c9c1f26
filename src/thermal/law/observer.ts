/**
 * What heat our load and other people's make: reading = offset + Σ gain·(own + ratio·foreign), each
 * load passed through first-order filters of 7, 90 and 700 s (die, board, case), plus an offset
 * that drifts (ambient, sun, fans, everything unmeasured) with a slope. Gains, ratio, offset and
 * slope, and what knobs heat, are tracked by an extended Kalman filter, clamped and robust to outliers.
 */
import {
  boundedFactor,
  createOwnLoad,
  FACTOR_DRIFT,
  FACTOR_SD,
  FORGET_S,
  type KnobHeat,
  type OwnLoad,
} from './knobs.js';
import { addOuter, diagonal, type Matrix, multiplyVector, scaleStates } from './matrix.js';
import {
  BANK,
  type ObserverState,
  OFFSET,
  RATIO,
  SLOPE,
  STATES,
  TIME_CONSTANTS_S,
} from './observer-state.js';

/** The heat of other programs is known less well: it proves so much of what it is taken to be. */
const FOREIGN_PROOF = 0.5;
/** A slope dies out over this time unless readings renew it. */
export const SLOPE_DECAY_S = 30;
const SLOPE_SD = 0.05;
const OFFSET_DRIFT = 0.05;
/** Prior gains, °C per unit load: a small board without a heatsink; wide on purpose. */
const PRIOR_GAINS = [11, 13, 12] as const;
const PRIOR_SD = [6, 8, 9] as const;
const GAIN_LIMITS = [
  [0.5, 60],
  [1, 80],
  [1, 60],
] as const;
const RATIO_LIMITS = [0.3, 2.5] as const;
/** Gains may wander by this much (°C per unit load) in ten minutes: dust, fans, the season. */
const GAIN_DRIFT = 0.5;

export interface Observer {
  readonly own: readonly number[];
  readonly foreign: readonly number[];
  readonly theta: readonly number[];
  readonly covariance: Matrix;
  /** Heat of each knob relative to the first one's, 0.5 to 2. */
  readonly factors: readonly number[];
  /**
   * Advances the filters and the drift by dt under constant loads (fractions, ≥ 0).
   *
   * @param byKnob the part of our own that was made with each knob
   */
  advance(ownLoad: number, foreignLoad: number, dtS: number, byKnob?: readonly number[]): void;
  /** Modelled temperature now, °C. */
  temperature(): number;
  /** Temperature our and foreign load explain, without the offset. */
  loadRise(): number;
  /** The part of it that the loads of the last minutes explain (7 and 90 s). */
  fastRise(): number;
  /** What of that is sure enough to prove that a sensor should have moved. */
  provenRise(): number;
  /** One standard deviation of the modelled temperature, °C. */
  sigma(): number;
  /** Takes a reading with this noise (one standard deviation). Returns the innovation. */
  correct(readingC: number, noiseC: number, learnGains: boolean): number;
  /** What no load explains has changed by so much, °C. */
  warm(by: number): void;
  /** Others' load is taken to heat at least so much, relative to ours; the temperature of now stays. */
  raiseRatio(least: number): void;
  /** Widens the offset's uncertainty, °C²: something unmodelled has happened. */
  loosen(varianceC2: number): void;
  /** Forgets the offset: the next readings decide it. */
  reset(readingC: number): void;
  state(): ObserverState;
}

/**
 * @param restore An earlier state; with `elapsedS` its filters are cooled by that time, without it
 *   (unknown) they are cold. The offset is always learned anew.
 * @param knobs names of the knobs whose heat relative to the first one's is to be learnt
 */
export function createObserver(
  restore?: ObserverState,
  elapsedS = Number.POSITIVE_INFINITY,
  knobs: readonly string[] = [],
): Observer {
  return new HeatObserver(restore, elapsedS, knobs);
}

const at = (values: readonly number[], i: number): number => values[i] ?? 0;

class HeatObserver implements Observer {
  readonly foreign: number[];
  readonly theta: number[];
  readonly covariance: Matrix;

  readonly #knobs: readonly string[];
  readonly #load: OwnLoad;

  constructor(restore: ObserverState | undefined, elapsedS: number, knobs: readonly string[]) {
    const cooled = (values: readonly number[] | undefined): number[] =>
      TIME_CONSTANTS_S.map((tau, i) => (values?.[i] ?? 0) * Math.exp(-Math.max(0, elapsedS) / tau));
    this.foreign = cooled(restore?.foreign);
    this.theta = [...(restore?.theta.slice(0, OFFSET) ?? [...PRIOR_GAINS, 1]), Number.NaN, 0];
    this.covariance = restore
      ? restore.covariance.map((row) => [...row])
      : diagonal([...PRIOR_SD.map((s) => s * s), 0.35 ** 2, 25, SLOPE_SD ** 2]);
    this.#knobs = knobs;
    this.#load = createOwnLoad(cooled(restore?.own), knobs.length);
    for (const knob of knobs)
      this.#learnOf(restore?.knobs?.[knob] ?? { factor: 1, error: FACTOR_SD });
  }

  get own(): readonly number[] {
    return this.#load.heats;
  }

  get factors(): readonly number[] {
    return this.theta.slice(STATES);
  }

  loadRise(): number {
    return this.#rise(BANK, this.#ratio);
  }

  fastRise(): number {
    return this.#rise(2, this.#ratio);
  }

  provenRise(): number {
    return this.#rise(2, FOREIGN_PROOF * this.#ratio);
  }

  temperature(): number {
    return this.loadRise() + at(this.theta, OFFSET);
  }

  sigma(): number {
    return Math.sqrt(Math.max(0, this.#spread(this.#regressor()).spread));
  }

  advance(ownLoad: number, foreignLoad: number, dtS: number, byKnob: readonly number[] = []): void {
    const { foreign, theta, covariance } = this;
    const shares = TIME_CONSTANTS_S.map((tau) => 1 - Math.exp(-dtS / tau));
    shares.forEach((share, i) => {
      foreign[i] = at(foreign, i) + share * (foreignLoad - at(foreign, i));
    });
    this.#load.advance(ownLoad, byKnob, shares);
    this.#load.unused().forEach((is, knob) => {
      const factor = at(theta, STATES + knob);
      if (is) theta[STATES + knob] = factor + (1 - factor) * (1 - Math.exp(-dtS / FORGET_S));
    });
    this.#load.weigh(this.factors);
    const decay = Math.exp(-dtS / SLOPE_DECAY_S);
    const move = SLOPE_DECAY_S * (1 - decay);
    theta[OFFSET] = at(theta, OFFSET) + move * at(theta, SLOPE);
    theta[SLOPE] = at(theta, SLOPE) * decay;
    scaleStates(covariance, OFFSET, SLOPE, move, decay);
    const dt = Math.min(dtS, 3600);
    for (let i = 0; i < BANK; i += 1)
      grow(covariance, i, (GAIN_DRIFT ** 2 * dt) / 600, at(PRIOR_SD, i) ** 2);
    grow(covariance, RATIO, (0.05 ** 2 * dt) / 600, 0.35 ** 2);
    grow(covariance, OFFSET, OFFSET_DRIFT ** 2 * dt, 400);
    for (let i = STATES; i < theta.length; i += 1)
      grow(covariance, i, (FACTOR_DRIFT ** 2 * dt) / 600, FACTOR_SD ** 2);
    grow(covariance, SLOPE, SLOPE_SD ** 2 * (1 - decay * decay), 1);
  }

  correct(readingC: number, noiseC: number, learnGains: boolean): number {
    const { theta, covariance } = this;
    if (Number.isNaN(at(theta, OFFSET))) this.reset(readingC);
    const h = this.#regressor();
    const innovation = readingC - this.loadRise() - at(theta, OFFSET);
    const { ph, spread } = this.#spread(h);
    const noise = noiseC * noiseC;
    // Huber's rule: beyond three standard deviations a reading counts as if it were less certain.
    const total = Math.max(spread + noise, (innovation * innovation) / 9);
    // What a knob heats shows when it changes: later, what else changes would be taken for it.
    const changes = this.#load.changes();
    const learns = (i: number) =>
      i === OFFSET || i === SLOPE || (learnGains && (i < STATES || changes[i - STATES] === true));
    const gain = ph.map((value, i) => (learns(i) ? value / total : 0));
    gain.forEach((k, i) => {
      theta[i] = at(theta, i) + k * innovation;
    });
    joseph(covariance, gain, h, total - spread);
    this.#clamp();
    return innovation;
  }

  warm(by: number): void {
    this.theta[OFFSET] = at(this.theta, OFFSET) + by;
  }

  raiseRatio(least: number): void {
    const before = this.loadRise();
    this.theta[RATIO] = Math.max(least, this.#ratio);
    this.warm(before - this.loadRise());
  }

  loosen(varianceC2: number): void {
    grow(this.covariance, OFFSET, varianceC2, 25);
  }

  reset(readingC: number): void {
    const { theta, covariance } = this;
    theta[OFFSET] = readingC - this.loadRise();
    theta[SLOPE] = 0;
    for (let i = 0; i < theta.length; i += 1) {
      for (const j of [OFFSET, SLOPE]) {
        setEntry(covariance, i, j, 0);
        setEntry(covariance, j, i, 0);
      }
    }
    setEntry(covariance, OFFSET, OFFSET, 4);
    setEntry(covariance, SLOPE, SLOPE, SLOPE_SD ** 2);
  }

  state(): ObserverState {
    const { theta, covariance } = this;
    const knobs = this.#knobs.map((knob, i): [string, KnobHeat] => {
      const variance = covariance[STATES + i]?.[STATES + i] ?? 0;
      return [knob, { factor: at(theta, STATES + i), error: Math.sqrt(Math.max(0, variance)) }];
    });
    return {
      own: [...this.own],
      foreign: [...this.foreign],
      theta: theta.slice(0, STATES),
      covariance: covariance.slice(0, STATES).map((row) => row.slice(0, STATES)),
      ...(knobs.length > 0 && { knobs: Object.fromEntries(knobs) }),
    };
  }

  /** One more state: the heat of a knob. */
  #learnOf({ factor, error }: KnobHeat): void {
    const { theta, covariance } = this;
    theta.push(boundedFactor(factor));
    for (const row of covariance) row.push(0);
    covariance.push([...theta.map(() => 0)]);
    setEntry(covariance, theta.length - 1, theta.length - 1, Math.min(FACTOR_SD, error) ** 2);
  }

  get #ratio(): number {
    return at(this.theta, RATIO);
  }

  /** What the first filters of the bank explain, °C; foreign load counts `ratio` times. */
  #rise(filters: number, ratio: number): number {
    let rise = 0;
    for (let i = 0; i < filters; i += 1) {
      rise += at(this.theta, i) * (at(this.own, i) + ratio * at(this.foreign, i));
    }
    return rise;
  }

  /** What a reading depends on, by state. */
  #regressor(): number[] {
    const h = new Array<number>(this.theta.length).fill(0);
    for (let i = 0; i < BANK; i += 1) {
      h[i] = at(this.own, i) + this.#ratio * at(this.foreign, i);
      h[RATIO] = at(h, RATIO) + at(this.theta, i) * at(this.foreign, i);
    }
    h[OFFSET] = 1;
    this.#load.slopes(this.theta).forEach((slope, knob) => {
      h[STATES + knob] = slope;
    });
    return h;
  }

  /** P·h, and the variance hᵀ·P·h. */
  #spread(h: readonly number[]): { readonly ph: readonly number[]; readonly spread: number } {
    const ph = multiplyVector(this.covariance, h);
    return { ph, spread: h.reduce((sum, value, i) => sum + value * at(ph, i), 0) };
  }

  /** Keeps gains and ratio possible; the offset makes up for it, so that the temperature stays. */
  #clamp(): void {
    const { theta } = this;
    for (let i = STATES; i < theta.length; i += 1) theta[i] = boundedFactor(at(theta, i));
    this.#load.weigh(this.factors);
    const before = this.loadRise();
    GAIN_LIMITS.forEach(([low, high], i) => {
      theta[i] = Math.min(high, Math.max(low, at(theta, i)));
    });
    theta[RATIO] = Math.min(RATIO_LIMITS[1], Math.max(RATIO_LIMITS[0], this.#ratio));
    theta[OFFSET] = at(theta, OFFSET) + before - this.loadRise();
    theta[SLOPE] = Math.min(1, Math.max(-1, at(theta, SLOPE)));
  }
}

function setEntry(m: Matrix, i: number, j: number, value: number): void {
  const row = m[i];
  if (row !== undefined) row[j] = value;
}

function grow(m: Matrix, i: number, by: number, most: number): void {
  const value = m[i]?.[i] ?? 0;
  if (value < most) setEntry(m, i, i, Math.min(most, value + by));
}

/** P ← (I − K hᵀ) P (I − K hᵀ)ᵀ + K r Kᵀ: keeps P positive for any gain K. */
function joseph(p: Matrix, k: readonly number[], h: readonly number[], r: number): void {
  const ph = multiplyVector(p, h);
  const s = h.reduce((sum, value, i) => sum + value * (ph[i] ?? 0), 0) + Math.max(0, r);
  addOuter(p, k, ph, -1);
  addOuter(p, ph, k, -1);
  addOuter(p, k, k, s);
}
