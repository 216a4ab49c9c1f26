import type { Point } from './run.js';

/** What a run is judged by. */
export interface RunScore {
  /** Σ(accuracy · delivered) / requested frames. */
  readonly quality: number;
  readonly secondsAtLimit: number;
  /** Peak die temperature minus the limit, °C (negative is below). */
  readonly peakC: number;
  /** Σ |change of the budget| an hour. */
  readonly budgetVariation: number;
  /** Changes of the rung pair an hour. */
  readonly pairChanges: number;
}

export function scoreRun(points: readonly Point[], limitC: number): RunScore {
  let score = 0;
  let requested = 0;
  let seconds = 0;
  let peak = -Infinity;
  let variation = 0;
  let pairs = 0;
  points.forEach((p, i) => {
    score += p.score;
    requested += p.requestedFps;
    if (p.peakC >= limitC) seconds += 1;
    peak = Math.max(peak, p.peakC);
    const before = points[i - 1];
    if (before === undefined) return;
    variation += Math.abs(p.budget - before.budget);
    if (p.low !== before.low || p.high !== before.high) pairs += 1;
  });
  const hours = points.length / 3600;
  return {
    quality: requested > 0 ? score / requested : 0,
    secondsAtLimit: seconds,
    peakC: peak - limitC,
    budgetVariation: variation / hours,
    pairChanges: pairs / hours,
  };
}

/** Feasible: neither the oracle nor the floor reaches the limit. */
export function isFeasible(oracle: RunScore, floor: RunScore): boolean {
  return oracle.secondsAtLimit === 0 && floor.secondsAtLimit === 0;
}

/** Mean quality of the points in [from, to). */
export function qualityBetween(points: readonly Point[], fromS: number, toS: number): number {
  let score = 0;
  let requested = 0;
  for (const p of points) {
    if (p.timeS < fromS || p.timeS >= toS) continue;
    score += p.score;
    requested += p.requestedFps;
  }
  return requested > 0 ? score / requested : 0;
}

/**
 * Seconds after `calmS` until a 20 s mean of quality is back at 99 % of what it was in the five
 * minutes before `startS`; Infinity when it never is.
 */
export function recoveryS(points: readonly Point[], startS: number, calmS: number): number {
  const earlier = qualityBetween(points, startS - 300, startS);
  const last = points[points.length - 1]?.timeS ?? 0;
  for (let t = calmS; t + 20 <= last; t += 1) {
    if (qualityBetween(points, t, t + 20) >= 0.99 * earlier) return t - calmS;
  }
  return Number.POSITIVE_INFINITY;
}
