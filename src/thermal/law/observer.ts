/**
 * What heat our load and other people's make: reading = offset + Σ gain·(own + ratio·foreign), each
 * load passed through first-order filters of 7, 90 and 700 s (die, board, case), plus an offset
 * that drifts (ambient, sun, fans, everything unmeasured) with a slope. Gains, ratio, offset and
 * slope are tracked by an extended Kalman filter, clamped and robust to outliers.
 */
import { addOuter, diagonal, type Matrix, multiplyVector, scaleStates } from './matrix.js';

export const TIME_CONSTANTS_S = [7, 90, 700] as const;
export const BANK = TIME_CONSTANTS_S.length;
/** State layout: gains, then ratio, offset, slope. */
export const RATIO = BANK;
export const OFFSET = BANK + 1;
export const SLOPE = BANK + 2;
const STATES = BANK + 3;

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

export interface ObserverState {
  readonly own: readonly number[];
  readonly foreign: readonly number[];
  readonly theta: readonly number[];
  readonly covariance: readonly (readonly number[])[];
}

export interface Observer {
  readonly own: readonly number[];
  readonly foreign: readonly number[];
  readonly theta: readonly number[];
  readonly covariance: Matrix;
  /** Advances the filters and the drift by dt under constant loads (fractions, ≥ 0). */
  advance(ownLoad: number, foreignLoad: number, dtS: number): void;
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
  /** Widens the offset's uncertainty, °C²: something unmodelled has happened. */
  loosen(varianceC2: number): void;
  /** Forgets the offset: the next readings decide it. */
  reset(readingC: number): void;
  state(): ObserverState;
}

/**
 * @param restore An earlier state; with `elapsedS` its filters are cooled by that time, without it
 *   (unknown) they are cold. The offset is always learned anew.
 */
export function createObserver(
  restore?: ObserverState,
  elapsedS = Number.POSITIVE_INFINITY,
): Observer {
  return new HeatObserver(restore, elapsedS);
}

const at = (values: readonly number[], i: number): number => values[i] ?? 0;

class HeatObserver implements Observer {
  readonly own: number[];
  readonly foreign: number[];
  readonly theta: number[];
  readonly covariance: Matrix;

  constructor(restore: ObserverState | undefined, elapsedS: number) {
    const cooled = (values: readonly number[] | undefined): number[] =>
      TIME_CONSTANTS_S.map((tau, i) => (values?.[i] ?? 0) * Math.exp(-Math.max(0, elapsedS) / tau));
    this.own = cooled(restore?.own);
    this.foreign = cooled(restore?.foreign);
    this.theta = [...(restore?.theta.slice(0, OFFSET) ?? [...PRIOR_GAINS, 1]), Number.NaN, 0];
    this.covariance = restore
      ? restore.covariance.map((row) => [...row])
      : diagonal([...PRIOR_SD.map((s) => s * s), 0.35 ** 2, 25, SLOPE_SD ** 2]);
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

  advance(ownLoad: number, foreignLoad: number, dtS: number): void {
    const { own, foreign, theta, covariance } = this;
    TIME_CONSTANTS_S.forEach((tau, i) => {
      const k = 1 - Math.exp(-dtS / tau);
      own[i] = at(own, i) + k * (ownLoad - at(own, i));
      foreign[i] = at(foreign, i) + k * (foreignLoad - at(foreign, i));
    });
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
    const gain = ph.map((value, i) => (learnGains || i > RATIO ? value / total : 0));
    gain.forEach((k, i) => {
      theta[i] = at(theta, i) + k * innovation;
    });
    joseph(covariance, gain, h, total - spread);
    this.#clamp();
    return innovation;
  }

  loosen(varianceC2: number): void {
    grow(this.covariance, OFFSET, varianceC2, 25);
  }

  reset(readingC: number): void {
    const { theta, covariance } = this;
    theta[OFFSET] = readingC - this.loadRise();
    theta[SLOPE] = 0;
    for (let i = 0; i < STATES; i += 1) {
      for (const j of [OFFSET, SLOPE]) {
        setEntry(covariance, i, j, 0);
        setEntry(covariance, j, i, 0);
      }
    }
    setEntry(covariance, OFFSET, OFFSET, 4);
    setEntry(covariance, SLOPE, SLOPE, SLOPE_SD ** 2);
  }

  state(): ObserverState {
    return {
      own: [...this.own],
      foreign: [...this.foreign],
      theta: [...this.theta],
      covariance: this.covariance.map((row) => [...row]),
    };
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
    const h = new Array<number>(STATES).fill(0);
    for (let i = 0; i < BANK; i += 1) {
      h[i] = at(this.own, i) + this.#ratio * at(this.foreign, i);
      h[RATIO] = at(h, RATIO) + at(this.theta, i) * at(this.foreign, i);
    }
    h[OFFSET] = 1;
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

/** True when a stored state can be used: sizes right, every number finite. */
export function isObserverState(value: unknown): value is ObserverState {
  if (typeof value !== 'object' || value === null) return false;
  const s = value as Partial<ObserverState>;
  return (
    isVector(s.own, BANK) &&
    isVector(s.foreign, BANK) &&
    Array.isArray(s.theta) &&
    isVector(s.theta.slice(0, OFFSET), OFFSET) &&
    Array.isArray(s.covariance) &&
    s.covariance.length === STATES &&
    s.covariance.every((row) => isVector(row, STATES))
  );
}

function isVector(value: unknown, length: number): value is number[] {
  return Array.isArray(value) && value.length === length && value.every((x) => Number.isFinite(x));
}
