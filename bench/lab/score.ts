import type { Point } from '#mobilenetd/simulator/run.js';
import type { RunScore } from '#mobilenetd/simulator/score.js';

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
