import { mixFrames, moveOf, type Pilot } from '#mobilenetd/simulator/run.js';
import type { Command } from '#mobilenetd/simulator/world.js';
import { allocate, buildHull, type Hull, type LadderRules } from '#mobilenetd/thermal/ladder.js';
import type { Rung } from '#mobilenetd/thermal/sample.js';

const MARGIN_C = 0.5;
const BISECTIONS = 14;
const RULES: LadderRules = {
  pin: 'auto',
  floorAlpha: 0,
  floorSize: 0,
  prefer: 'accuracy',
  minFps: 1,
};

/** The hull of what rungs heat, which a clairvoyant knows, not of what they are said to cost. */
export function heatHull(ladder: readonly Rung[], heat: readonly number[] = []): Hull {
  const hot = ladder.map((rung, i) => ({ ...rung, costMs: rung.costMs * (heat[i] ?? 1) }));
  return buildHull(hot, RULES);
}

export function commandFor(hull: Hull, budget: number, fps: number): Command {
  const plan = allocate(hull, budget, fps, { minFps: RULES.minFps, segment: -1 });
  return { frames: mixFrames(plan) };
}

/**
 * The clairvoyant: it knows the plant, its state and what comes in the next second, and spends the
 * largest budget that keeps the die at limit − 0.5 °C, mixing frame by frame. Nobody can do better
 * second by second.
 */
export function createOracle(
  ladder: readonly Rung[],
  limitC: number,
  heat: readonly number[] = [],
): Pilot {
  const hull = heatHull(ladder, heat);
  const targetC = limitC - MARGIN_C;
  return (world, { requestedFps }) => {
    const best = commandFor(hull, world.capacity(), requestedFps);
    if (world.foresee(best) <= targetC) return moveOf(best.frames);
    let low = 0;
    let high = world.capacity();
    for (let i = 0; i < BISECTIONS; i += 1) {
      const middle = (low + high) / 2;
      if (world.foresee(commandFor(hull, middle, requestedFps)) <= targetC) low = middle;
      else high = middle;
    }
    return moveOf(commandFor(hull, low, requestedFps).frames);
  };
}

/** The cheapest rung at every frame. */
export const floor: Pilot = (_, sample) => moveOf([[0, sample.requestedFps]]);
