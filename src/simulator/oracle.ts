import { allocate, buildHull, type Hull, type LadderRules } from '../thermal/ladder.js';
import type { Rung } from '../thermal/sample.js';
import type { Command, World } from './world.js';

const MARGIN_C = 0.5;
const BISECTIONS = 14;
const RULES: LadderRules = {
  pin: 'auto',
  floorAlpha: 0,
  floorSize: 0,
  prefer: 'accuracy',
  minFps: 1,
};

/**
 * The clairvoyant: it knows the plant, its state and what comes in the next second, and spends the
 * largest budget that keeps the die at limit − 0.5 °C, mixing frame by frame. Nobody can do better
 * second by second.
 */
export function createOracle(
  ladder: readonly Rung[],
  limitC: number,
  heat: readonly number[] = [],
): (world: World, requestedFps: number) => Command {
  // It ranks rungs by the heat they make, not by what they are said to cost.
  const hot = ladder.map((rung, i) => ({ ...rung, costMs: rung.costMs * (heat[i] ?? 1) }));
  const hull = buildHull(hot, RULES);
  const targetC = limitC - MARGIN_C;
  return (world, requestedFps) => {
    let low = 0;
    let high = world.capacity();
    const best = commandFor(hull, high, requestedFps);
    if (world.foresee(best) <= targetC) return best;
    for (let i = 0; i < BISECTIONS; i += 1) {
      const middle = (low + high) / 2;
      if (world.foresee(commandFor(hull, middle, requestedFps)) <= targetC) low = middle;
      else high = middle;
    }
    return commandFor(hull, low, requestedFps);
  };
}

function commandFor(hull: Hull, budget: number, fps: number): Command {
  return mixCommand(allocate(hull, budget, fps, { minFps: RULES.minFps, segment: -1 }));
}

/** The frames of an allocation. */
export function mixCommand(a: {
  readonly mix: { low: number; high: number; fraction: number };
  readonly fps: number;
}): Command {
  const { low, high, fraction } = a.mix;
  if (low === high) return { frames: [[low, a.fps]] };
  return {
    frames: [
      [low, a.fps * (1 - fraction)],
      [high, a.fps * fraction],
    ],
  };
}
