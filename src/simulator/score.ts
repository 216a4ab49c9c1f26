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
