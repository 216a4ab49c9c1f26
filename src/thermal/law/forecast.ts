import type { IdentifiedBoard } from '../sample.js';
import {
  BANK,
  type Observer,
  OFFSET,
  RATIO,
  SLOPE,
  SLOPE_DECAY_S,
  TIME_CONSTANTS_S,
} from './observer.js';

/** Seconds ahead that are looked at; the shortest is how long the die and the sensor may lag. */
export const HORIZONS_S = [15, 30, 60, 120, 200, 300] as const;

/** Foreign load expected at a time ahead (s), fraction of full inference load. */
export type ForeignForecast = (aheadS: number) => number;

/** Uncertainty is counted up to this much: beyond it, feedback is the better guard. */
const MOST_GUARD_C = 2;

/**
 * Far ahead the target may be passed a little (it stays below the limit): feedback has minutes to
 * see to it, and heat that was misjudged has not made the board too careful after a disturbance.
 */
const FAR_SLACK_C = 1.5;
const FAR_S = 60;
const LAST_S = 300;

/** Temperature forecast `aheadS` from now under a constant own load. */
export interface Forecast {
  /** Expected temperature with no own load from now on, °C. */
  readonly baseC: number;
  /** °C added per unit of own load. */
  readonly perLoadC: number;
  /** One standard deviation at the load given, °C. */
  readonly sigmaC: number;
}

export function forecast(
  observer: Observer,
  aheadS: number,
  load: number,
  foreign: ForeignForecast,
): Forecast {
  const g = observer.theta;
  const ratio = g[RATIO] ?? 1;
  const h = new Array<number>(g.length).fill(0);
  let base = g[OFFSET] ?? 0;
  let perLoad = 0;
  TIME_CONSTANTS_S.forEach((tau, i) => {
    const stay = Math.exp(-aheadS / tau);
    const gain = g[i] ?? 0;
    const ownLater = (observer.own[i] ?? 0) * stay;
    const foreignLater = (observer.foreign[i] ?? 0) * stay + foreign(aheadS) * (1 - stay);
    base += gain * (ownLater + ratio * foreignLater);
    perLoad += gain * (1 - stay);
    h[i] = ownLater + ratio * foreignLater + load * (1 - stay);
    h[RATIO] = (h[RATIO] ?? 0) + gain * foreignLater;
  });
  const drift = SLOPE_DECAY_S * (1 - Math.exp(-aheadS / SLOPE_DECAY_S));
  // A falling offset is not counted on (what cools now may stop cooling), nor one that may be noise.
  const slopeNoise = Math.sqrt(Math.max(0, observer.covariance[SLOPE]?.[SLOPE] ?? 0));
  base += drift * Math.max(0, (g[SLOPE] ?? 0) - slopeNoise);
  h[OFFSET] = 1;
  return { baseC: base, perLoadC: perLoad, sigmaC: Math.sqrt(Math.max(0, quadratic(observer, h))) };
}

function quadratic(observer: Observer, h: readonly number[]): number {
  let sum = 0;
  observer.covariance.forEach((row, i) => {
    row.forEach((value, j) => {
      sum += value * (h[i] ?? 0) * (h[j] ?? 0);
    });
  });
  return sum;
}

/**
 * The largest constant load (fraction, may be negative or above 1) whose forecast stays below the
 * target at every horizon.
 *
 * @param load The load of now, where the uncertainty is taken.
 * @param caution Standard deviations kept off the target.
 */
export function sustainableLoad(
  observer: Observer,
  targetC: number,
  options: { readonly load: number; readonly caution: number; readonly foreign: ForeignForecast },
): number {
  let budget = Number.POSITIVE_INFINITY;
  for (const ahead of HORIZONS_S) {
    const f = forecast(observer, ahead, options.load, options.foreign);
    const guard = Math.min(MOST_GUARD_C, options.caution * f.sigmaC);
    const late = (FAR_SLACK_C * Math.max(0, ahead - FAR_S)) / (LAST_S - FAR_S);
    const room = targetC + late - guard - f.baseC;
    budget = Math.min(budget, room / Math.max(0.5, f.perLoadC));
  }
  return budget;
}

/** Sum of the gains: the rise of a board that has run at full load for ever, °C. */
export function totalGain(observer: Observer): { readonly gainC: number; readonly sigmaC: number } {
  let gain = 0;
  let variance = 0;
  for (let i = 0; i < BANK; i += 1) {
    gain += observer.theta[i] ?? 0;
    for (let j = 0; j < BANK; j += 1) variance += observer.covariance[i]?.[j] ?? 0;
  }
  return { gainC: gain, sigmaC: Math.sqrt(Math.max(0, variance)) };
}

/** Change of the temperature that a load from now on (fraction) brings, °C a second. */
export function trend(observer: Observer, load: number): number {
  const g = observer.theta;
  let rate = g[SLOPE] ?? 0;
  TIME_CONSTANTS_S.forEach((tau, i) => {
    rate += ((g[i] ?? 0) * (load - (observer.own[i] ?? 0))) / tau;
  });
  return rate;
}

/** What the observer has learnt of the board, for people. */
export function identifiedBoard(observer: Observer): IdentifiedBoard {
  return {
    gainC: observer.theta.slice(0, BANK),
    timeConstantsS: TIME_CONSTANTS_S,
    gainErrorC: totalGain(observer).sigmaC,
    foreignRatio: observer.theta[RATIO] ?? 1,
  };
}
