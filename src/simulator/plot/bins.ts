import type { Point } from '../run.js';

/** Some seconds of a run, drawn as one place. */
export interface Bin {
  readonly timeS: number;
  readonly coolestC: number;
  readonly hottestC: number;
  /** What the sensor said last; null when nothing. */
  readonly readingC: number | null;
  readonly ambientC: number;
  readonly requestedFps: number;
  readonly deliveredFps: number;
  /** Accuracy of the frames asked for, per cent. */
  readonly quality: number;
  /** Parts of a second each second. */
  readonly budget: number;
  readonly foreign: number;
  readonly low: number;
  readonly high: number;
  /** Rung as a number between low and high. */
  readonly rung: number;
}

/** At most `most` bins of equal length. Extremes of the temperature are kept, the rest is averaged. */
export function binned(points: readonly Point[], most: number): Bin[] {
  const length = Math.max(1, Math.ceil(points.length / most));
  const bins: Bin[] = [];
  for (let start = 0; start < points.length; start += length) {
    bins.push(binOf(points.slice(start, start + length)));
  }
  return bins;
}

function binOf(points: readonly Point[]): Bin {
  const mean = (value: (point: Point) => number) =>
    points.reduce((sum, point) => sum + value(point), 0) / points.length;
  const requestedFps = mean((p) => p.requestedFps);
  return {
    timeS: points[0]?.timeS ?? 0,
    coolestC: Math.min(...points.map((p) => p.dieC)),
    hottestC: Math.max(...points.map((p) => p.peakC)),
    readingC: points[points.length - 1]?.readingC ?? null,
    ambientC: mean((p) => p.ambientC),
    requestedFps,
    deliveredFps: mean((p) => p.deliveredFps),
    quality: requestedFps > 0 ? mean((p) => p.score) / requestedFps : 0,
    budget: mean((p) => p.budget),
    foreign: mean((p) => p.foreign),
    low: Math.min(...points.map((p) => p.low)),
    high: Math.max(...points.map((p) => p.high)),
    rung: mean((p) => p.low + (p.high - p.low) * p.fraction),
  };
}
