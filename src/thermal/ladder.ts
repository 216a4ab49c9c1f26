import type { Mix, Rung } from './sample.js';

/** What the user allows. */
export interface LadderRules {
  /** Name of the only rung to run, or `auto`. */
  readonly pin: string;
  readonly floorAlpha: number;
  readonly floorSize: number;
  /** `fps` never drops frames while a cheaper rung is left; `accuracy` weighs both alike. */
  readonly prefer: 'accuracy' | 'fps';
  readonly minFps: number;
}

/** A corner of the hull: a rung, or "skip the frame" (rung −1, cost 0, accuracy 0). */
interface Corner {
  readonly rung: number;
  readonly costMs: number;
  readonly accuracy: number;
}

/** The corners, cost and accuracy strictly rising, slopes falling. */
export type Hull = readonly Corner[];

export interface Allocation {
  readonly mix: Mix;
  readonly fps: number;
  /** Load the allocation makes if all of it is delivered, fraction of a second per second. */
  readonly load: number;
  /** Where in the hull it lies: index of the lower corner. */
  readonly segment: number;
}

/**
 * Indices of the rungs the rules leave; when they leave none, all whose accuracy is known (above 0),
 * or all.
 */
export function allowedRungs(ladder: readonly Rung[], rules: LadderRules): number[] {
  const all = ladder.map((_, index) => index).filter((index) => usable(ladder[index]));
  if (rules.pin !== 'auto') {
    const pinned = all.filter((index) => ladder[index]?.name === rules.pin);
    if (pinned.length > 0) return pinned;
  }
  const above = all.filter((index) => {
    const rung = ladder[index];
    // One whose accuracy is not known cannot be weighed against the others.
    if (rung === undefined || rung.accuracy <= 0) return false;
    // The floor of α says nothing of a network without one.
    const wide = rung.alpha === null || rung.alpha >= rules.floorAlpha - 1e-9;
    return wide && rung.size >= rules.floorSize;
  });
  if (above.length > 0) return above;
  const known = all.filter((index) => (ladder[index]?.accuracy ?? 0) > 0);
  return known.length > 0 ? known : all;
}

function usable(rung: Rung | undefined): boolean {
  return (
    rung !== undefined &&
    Number.isFinite(rung.costMs) &&
    rung.costMs > 0 &&
    Number.isFinite(rung.accuracy)
  );
}

/**
 * The upper concave hull of (cost, accuracy), starting at "skip": every mean accuracy that can be
 * had for a mean cost is reached by mixing two neighbouring corners, and by no other pair.
 */
export function buildHull(ladder: readonly Rung[], rules: LadderRules): Hull {
  const corners = allowedRungs(ladder, rules)
    .map((rung) => ({
      rung,
      costMs: ladder[rung]?.costMs ?? 0,
      accuracy: ladder[rung]?.accuracy ?? 0,
    }))
    .sort((a, b) => a.costMs - b.costMs || b.accuracy - a.accuracy);
  const skip: Corner = {
    rung: -1,
    costMs: 0,
    accuracy: Math.min(0, ...corners.map((c) => c.accuracy)),
  };
  const first = corners[0];
  // Under `fps` the cheapest rung is always a corner: frames are dropped only below it.
  const pinned = rules.prefer === 'fps' && first !== undefined ? 2 : 1;
  const hull: Corner[] = [skip];
  for (const corner of corners) {
    while (hull.length > pinned && !isConcave(hull, corner)) hull.pop();
    const top = hull[hull.length - 1];
    if (top !== undefined && (corner.accuracy > top.accuracy || hull.length === 1))
      hull.push(corner);
  }
  return hull;
}

function isConcave(hull: readonly Corner[], next: Corner): boolean {
  const b = hull[hull.length - 1];
  const a = hull[hull.length - 2];
  if (a === undefined || b === undefined) return true;
  return (
    (b.accuracy - a.accuracy) * (next.costMs - b.costMs) >
    (next.accuracy - b.accuracy) * (b.costMs - a.costMs)
  );
}

/** The corner's load at a frame rate, fraction of a second per second. */
export function loadAt(hull: Hull, corner: number, fps: number): number {
  return ((hull[corner]?.costMs ?? 0) * fps) / 1000;
}

/** The load of the best corner at `fps`. */
export function topLoad(hull: Hull, fps: number): number {
  return loadAt(hull, hull.length - 1, fps);
}

/**
 * Spends a budget: the mix of two neighbouring corners with that mean cost; below the first rung,
 * that rung at a lower frame rate.
 *
 * @param budget Load to make, fraction of a second per second.
 * @param segment The segment of the last allocation (its lower corner), kept while the budget has
 *   not risen clearly above it, so that the pair does not flutter around a corner; −1 for none.
 */
export function allocate(
  hull: Hull,
  budget: number,
  fps: number,
  rules: { readonly minFps: number; readonly segment: number },
): Allocation {
  const last = hull.length - 1;
  const perFrame = fps > 0 ? (1000 * Math.max(0, budget)) / fps : 0;
  const segment = chooseSegment(hull, perFrame, rules.segment);
  const low = hull[segment];
  const high = hull[Math.min(segment + 1, last)];
  if (low === undefined || high === undefined || low === high) {
    const only = high?.rung ?? 0;
    return { mix: { low: only, high: only, fraction: 0 }, fps, load: topLoad(hull, fps), segment };
  }
  const fraction = clamp01((perFrame - low.costMs) / (high.costMs - low.costMs));
  if (low.rung < 0) {
    const slow = Math.min(fps, Math.max(fps * fraction, Math.min(rules.minFps, fps / 2)));
    const mix = { low: high.rung, high: high.rung, fraction: 0 };
    return { mix, fps: slow, load: (slow * high.costMs) / 1000, segment };
  }
  const mean = low.costMs + fraction * (high.costMs - low.costMs);
  return {
    mix: { low: low.rung, high: high.rung, fraction },
    fps,
    load: (mean * fps) / 1000,
    segment,
  };
}

/** Index of the cheapest rung the rules leave. */
function cheapest(ladder: readonly Rung[], rules: LadderRules): number {
  const cost = (index: number): number => ladder[index]?.costMs ?? 0;
  return allowedRungs(ladder, rules).reduce((a, b) => (cost(b) < cost(a) ? b : a));
}

/** Load of the cheapest rung at `fps`. */
export function floorLoad(ladder: readonly Rung[], rules: LadderRules, fps: number): number {
  return ((ladder[cheapest(ladder, rules)]?.costMs ?? 0) * fps) / 1000;
}

/** Spends a budget on the cheapest rung alone, be it a corner of the hull or not. */
export function atFloor(
  ladder: readonly Rung[],
  rules: LadderRules,
  budget: number,
  fps: number,
): Allocation {
  const rung = cheapest(ladder, rules);
  const costMs = ladder[rung]?.costMs ?? 0;
  const wanted = costMs > 0 ? (1000 * budget) / costMs : fps;
  const rate = Math.min(fps, Math.max(wanted, Math.min(rules.minFps, fps / 2)));
  return {
    mix: { low: rung, high: rung, fraction: 0 },
    fps: rate,
    load: (rate * costMs) / 1000,
    segment: -1,
  };
}

/** Lowers the load to a part of it without another pair: less of the upper rung, then fewer frames. */
export function dipped(plan: Allocation, ladder: readonly Rung[], factor: number): Allocation {
  if (factor >= 1) return plan;
  const lowMs = ladder[plan.mix.low]?.costMs ?? 0;
  const highMs = ladder[plan.mix.high]?.costMs ?? 0;
  const load = plan.load * factor;
  const perFrame = plan.fps > 0 ? (1000 * load) / plan.fps : 0;
  if (perFrame >= lowMs && highMs > lowMs) {
    const fraction = clamp01((perFrame - lowMs) / (highMs - lowMs));
    return { ...plan, mix: { ...plan.mix, fraction }, load };
  }
  const fps = lowMs > 0 ? Math.min(plan.fps, (1000 * load) / lowMs) : plan.fps;
  return { ...plan, mix: { ...plan.mix, fraction: 0 }, fps, load };
}

/**
 * A plan that was made by heat, cut down to the time that there is; where heat is time, it has been.
 *
 * @param wall the rungs with their wall time
 * @param hot the same with what the plan's load is counted in
 * @param timeS time that may be spent in each second, s
 */
export function withinTime(
  plan: Allocation,
  of: { readonly wall: readonly Rung[]; readonly hot: readonly Rung[]; readonly timeS: number },
): Allocation {
  if (of.wall === of.hot) return plan;
  const { low, high, fraction } = plan.mix;
  const cost = (ladder: readonly Rung[], rung: number) => ladder[rung]?.costMs ?? 0;
  const mean = (ladder: readonly Rung[], share: number) =>
    cost(ladder, low) + share * (cost(ladder, high) - cost(ladder, low));
  const mostMs = plan.fps > 0 ? (1000 * of.timeS) / plan.fps : Number.POSITIVE_INFINITY;
  if (mean(of.wall, fraction) <= mostMs) return plan;
  const wider = cost(of.wall, high) - cost(of.wall, low);
  const share = wider > 0 ? clamp01((mostMs - cost(of.wall, low)) / wider) : fraction;
  const fps = Math.min(plan.fps, (plan.fps * mostMs) / mean(of.wall, share));
  const load = (fps * mean(of.hot, share)) / 1000;
  return { ...plan, mix: { low, high, fraction: share }, fps, load };
}

/** Parts of a corner's cost the budget must pass before the pair above, or below, is taken. */
const CORNER_UP = 0.06;
const CORNER_DOWN = 0.015;

function chooseSegment(hull: Hull, perFrame: number, previous: number): number {
  let segment = 0;
  for (let i = 1; i < hull.length - 1; i += 1) {
    const cost = hull[i]?.costMs ?? 0;
    const pass = cost * (previous >= i ? 1 - CORNER_DOWN : 1 + CORNER_UP);
    if (perFrame >= pass) segment = i;
  }
  return segment;
}

function clamp01(value: number): number {
  return Math.min(1, Math.max(0, value));
}
