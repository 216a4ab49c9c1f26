import type { IdentifiedBoard } from '../sample.js';
import { type Observer, SLOPE_DECAY_S } from './observer.js';
import { BANK, OFFSET, RATIO, SLOPE, TIME_CONSTANTS_S } from './observer-state.js';

/** Seconds ahead that are looked at; the shortest is how long the die and the sensor may lag. */
export const HORIZONS_S = [15, 30, 60, 120, 200, 300] as const;

/** What other programs will take, in units of full inference load. */
export interface ForeignCourse {
  /** For `forS` seconds; `thenLoad` after that. */
  readonly load: number;
  readonly forS: number;
  readonly thenLoad: number;
  /** Error of the model to be expected at its end, °C. */
  readonly driftC: number;
}

/** Uncertainty is counted up to this much: beyond it, feedback is the better guard. */
const MOST_GUARD_C = 2;

/**
 * Far ahead the target may be passed a little (it stays below the limit): feedback has minutes to
 * see to it, and heat that was misjudged has not made the board too careful after a disturbance.
 */
const FAR_SLACK_C = 1.5;
const FAR_S = 60;
const LAST_S = 300;
/** The end of a neighbour's visit is looked at, too, unless it is nearer than the die can follow. */
const SOONEST_S = 5;

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
  foreign: ForeignCourse,
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
    const foreignLater = foreignAt(observer.foreign[i] ?? 0, tau, aheadS, foreign);
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
  const { driftC, forS } = foreign;
  base += driftC * (aheadS < forS ? aheadS / forS : Math.exp((forS - aheadS) / DRIFT_S));
  return { baseC: base, perLoadC: perLoad, sigmaC: Math.sqrt(Math.max(0, quadratic(observer, h))) };
}

/** What was misjudged is forgotten in so many seconds, after the neighbour has gone. */
const DRIFT_S = 30;

/** A filtered foreign load after a time. */
function foreignAt(value: number, tau: number, aheadS: number, course: ForeignCourse): number {
  const nearS = Math.min(aheadS, course.forS);
  const near = Math.exp(-nearS / tau);
  const far = Math.exp(-(aheadS - nearS) / tau);
  const then = value * near + course.load * (1 - near);
  return then * far + course.thenLoad * (1 - far);
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
 * @param caution Standard deviations kept off the target, `mostGuardC` (°C; default 2) at most.
 */
export function sustainableLoad(
  observer: Observer,
  targetC: number,
  options: {
    readonly load: number;
    readonly caution: number;
    readonly foreign: ForeignCourse;
    readonly mostGuardC?: number;
  },
): number {
  let budget = Number.POSITIVE_INFINITY;
  const ends = options.foreign.forS;
  const horizons = ends > SOONEST_S && ends < LAST_S ? [...HORIZONS_S, ends] : HORIZONS_S;
  for (const ahead of horizons) {
    const f = forecast(observer, ahead, options.load, options.foreign);
    const guard = Math.min(options.mostGuardC ?? MOST_GUARD_C, options.caution * f.sigmaC);
    const late = (FAR_SLACK_C * Math.max(0, ahead - FAR_S)) / (LAST_S - FAR_S);
    const room = targetC + late - guard - f.baseC;
    budget = Math.min(budget, room / Math.max(0.5, f.perLoadC));
  }
  return budget;
}

/** Seconds ahead at which the worst course is looked at, besides its end. */
const WORST_S = [2, 5, 10, 20, 40, 80, 160] as const;
/**
 * Seconds until ours has ended: two at least, as a decision and its effect take. Far ahead more, so
 * that a reserve is used up slowly and not by one second's noise.
 */
const YIELD_S = 2;
const YIELD_SHARE = 0.25;
const YIELD_MOST_S = 30;
const LEAST_PER_LOAD_C = 0.3;

/**
 * The viability question: the largest own load now (fraction, may be negative or above 1) with which
 * `mostC` is not passed if the worst course begins this second and ours ends.
 */
export function viableLoad(observer: Observer, mostC: number, worst: ForeignCourse): number {
  let most = Number.POSITIVE_INFINITY;
  for (const aheadS of [...WORST_S, worst.forS]) {
    if (aheadS > worst.forS) continue;
    const holdS = Math.min(YIELD_MOST_S, Math.max(YIELD_S, aheadS * YIELD_SHARE), aheadS);
    const { baseC } = forecast(observer, aheadS, 0, worst);
    let perLoadC = 0;
    TIME_CONSTANTS_S.forEach((tau, i) => {
      const gone = Math.exp(-(aheadS - holdS) / tau);
      perLoadC += (observer.theta[i] ?? 0) * (1 - Math.exp(-holdS / tau)) * gone;
    });
    most = Math.min(most, (mostC - baseC) / Math.max(LEAST_PER_LOAD_C, perLoadC));
  }
  return most;
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
export function identifiedBoard(observer: Observer, knobs: readonly string[]): IdentifiedBoard {
  return {
    gainC: observer.theta.slice(0, BANK),
    timeConstantsS: TIME_CONSTANTS_S,
    gainErrorC: totalGain(observer).sigmaC,
    foreignRatio: observer.theta[RATIO] ?? 1,
    knobs: Object.fromEntries(knobs.map((knob, i) => [knob, observer.factors[i] ?? 1])),
  };
}
