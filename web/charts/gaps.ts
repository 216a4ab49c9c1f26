import type { HistoryPoint } from '../types.js';

/** The governor's log has an entry every ten minutes at least: what is longer is a time without a daemon, ms. */
const GAP_MS = 660_000;

/** Runs of points without a gap between them. */
export function runsOf(points: readonly HistoryPoint[]): readonly (readonly HistoryPoint[])[] {
  const runs: HistoryPoint[][] = [];
  for (const point of points) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run === undefined || last === undefined || point.time - last.time > GAP_MS) {
      runs.push([point]);
    } else run.push(point);
  }
  return runs;
}

/** The points with an empty one in each gap, so that a line breaks there. */
export function withGaps(points: readonly HistoryPoint[]): readonly HistoryPoint[] {
  return runsOf(points).flatMap((run, index) => {
    const [first] = run;
    const isBreak = index > 0 && first !== undefined;
    return isBreak ? [{ ...first, ...NOTHING, time: first.time - 1 }, ...run] : run;
  });
}

const NOTHING = { temperature: null, limit: null, target: null, budget: null, fps: null };
