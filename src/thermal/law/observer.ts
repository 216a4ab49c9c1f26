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
  const cooled = (values: readonly number[] | undefined): number[] =>
    TIME_CONSTANTS_S.map((tau, i) => (values?.[i] ?? 0) * Math.exp(-Math.max(0, elapsedS) / tau));
  const own = cooled(restore?.own);
  const foreign = cooled(restore?.foreign);
  const theta = [...(restore?.theta.slice(0, OFFSET) ?? [...PRIOR_GAINS, 1]), Number.NaN, 0];
  const cov: Matrix = restore
    ? restore.covariance.map((row) => [...row])
    : diagonal([...PRIOR_SD.map((s) => s * s), 0.35 ** 2, 25, SLOPE_SD ** 2]);

  const at = (values: readonly number[], i: number): number => values[i] ?? 0;
  const ratio = (): number => at(theta, RATIO);
  const regressor = (): number[] => {
    const h = new Array<number>(STATES).fill(0);
    for (let i = 0; i < BANK; i += 1) {
      h[i] = at(own, i) + ratio() * at(foreign, i);
      h[RATIO] = at(h, RATIO) + at(theta, i) * at(foreign, i);
    }
    h[OFFSET] = 1;
    return h;
  };
  const loadRise = (): number => {
    let rise = 0;
    for (let i = 0; i < BANK; i += 1)
      rise += at(theta, i) * (at(own, i) + ratio() * at(foreign, i));
    return rise;
  };
  const variance = (h: readonly number[]): number => {
    const ph = multiplyVector(cov, h);
    return h.reduce((sum, value, i) => sum + value * at(ph, i), 0);
  };
  /** Keeps gains and ratio possible; the offset makes up for it, so that the temperature stays. */
  const clamp = (): void => {
    const before = loadRise();
    GAIN_LIMITS.forEach(([low, high], i) => {
      theta[i] = Math.min(high, Math.max(low, at(theta, i)));
    });
    theta[RATIO] = Math.min(RATIO_LIMITS[1], Math.max(RATIO_LIMITS[0], ratio()));
    theta[OFFSET] = at(theta, OFFSET) + before - loadRise();
    theta[SLOPE] = Math.min(1, Math.max(-1, at(theta, SLOPE)));
  };

  return {
    own,
    foreign,
    theta,
    covariance: cov,
    loadRise,
    fastRise: () => {
      const part = (i: number): number => at(theta, i) * (at(own, i) + ratio() * at(foreign, i));
      return part(0) + part(1);
    },
    provenRise: () => {
      const others = FOREIGN_PROOF * ratio();
      const part = (i: number): number => at(theta, i) * (at(own, i) + others * at(foreign, i));
      return part(0) + part(1);
    },
    temperature: () => loadRise() + at(theta, OFFSET),
    sigma: () => Math.sqrt(Math.max(0, variance(regressor()))),
    advance(ownLoad, foreignLoad, dtS) {
      TIME_CONSTANTS_S.forEach((tau, i) => {
        const k = 1 - Math.exp(-dtS / tau);
        own[i] = at(own, i) + k * (ownLoad - at(own, i));
        foreign[i] = at(foreign, i) + k * (foreignLoad - at(foreign, i));
      });
      const decay = Math.exp(-dtS / SLOPE_DECAY_S);
      const move = SLOPE_DECAY_S * (1 - decay);
      theta[OFFSET] = at(theta, OFFSET) + move * at(theta, SLOPE);
      theta[SLOPE] = at(theta, SLOPE) * decay;
      scaleStates(cov, OFFSET, SLOPE, move, decay);
      const dt = Math.min(dtS, 3600);
      for (let i = 0; i < BANK; i += 1)
        grow(cov, i, (GAIN_DRIFT ** 2 * dt) / 600, at(PRIOR_SD, i) ** 2);
      grow(cov, RATIO, (0.05 ** 2 * dt) / 600, 0.35 ** 2);
      grow(cov, OFFSET, OFFSET_DRIFT ** 2 * dt, 400);
      grow(cov, SLOPE, SLOPE_SD ** 2 * (1 - decay * decay), 1);
    },
    correct(readingC, noiseC, learnGains) {
      if (Number.isNaN(at(theta, OFFSET))) this.reset(readingC);
      const h = regressor();
      const innovation = readingC - loadRise() - at(theta, OFFSET);
      const ph = multiplyVector(cov, h);
      const spread = h.reduce((sum, value, i) => sum + value * at(ph, i), 0);
      const noise = noiseC * noiseC;
      // Huber's rule: beyond three standard deviations a reading counts as if it were less certain.
      const total = Math.max(spread + noise, (innovation * innovation) / 9);
      const gain = ph.map((value, i) => (learnGains || i > RATIO ? value / total : 0));
      gain.forEach((k, i) => {
        theta[i] = at(theta, i) + k * innovation;
      });
      joseph(cov, gain, h, total - spread);
      clamp();
      return innovation;
    },
    loosen(varianceC2) {
      grow(cov, OFFSET, varianceC2, 25);
    },
    reset(readingC) {
      theta[OFFSET] = readingC - loadRise();
      theta[SLOPE] = 0;
      for (let i = 0; i < STATES; i += 1) {
        for (const j of [OFFSET, SLOPE]) {
          setEntry(cov, i, j, 0);
          setEntry(cov, j, i, 0);
        }
      }
      setEntry(cov, OFFSET, OFFSET, 4);
      setEntry(cov, SLOPE, SLOPE, SLOPE_SD ** 2);
    },
    state: () => ({
      own: [...own],
      foreign: [...foreign],
      theta: [...theta],
      covariance: cov.map((row) => [...row]),
    }),
  };
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
