import type { SensorCharacter } from './noise.js';

/** The temperatures of a second, °C. */
export interface Aim {
  /** Never to reach. */
  readonly limitC: number;
  /** An emergency begins here. */
  readonly lineC: number;
  /** What the hottest moments should reach. */
  readonly goalC: number;
  /** What they should reach if only the limit counted. */
  readonly warmestC: number;
}

/** The emergency line is this far below the limit (less if the margin is smaller), °C. */
const EMERGENCY_C = 1.5;
/** The goal's distance from that line with a good sensor (noise 0.35 °C, steps 0.5 °C), °C. */
const GAP_C = 0.3;
const GOOD_NOISE_C = 0.35;
const GOOD_STEP_C = 0.5;
const GAP_PER_NOISE = 0.3;
const GAP_PER_STEP = 0.8;
/** Part of the margin that may be spent before frames of the smallest rung are dropped, °C. */
const STARVING_C = 0.3;

/**
 * Step 3: what to aim at.
 *
 * @param guardC extra distance after emergencies, °C
 * @param starving 0 to 1, see starving.ts
 * @param targetC a cooler goal; null where only the limit counts, °C
 */
export function aimAt(
  limitC: number,
  marginC: number,
  of: {
    readonly sensor: SensorCharacter;
    readonly guardC: number;
    readonly starving: number;
    readonly targetC: number | null;
  },
): Aim {
  const spareC = of.starving * Math.min(STARVING_C, marginC / 2);
  const warmestC = limitC - marginC - sensorGap(of.sensor) - of.guardC + spareC;
  return {
    limitC,
    lineC: limitC - Math.min(EMERGENCY_C, marginC) + spareC,
    goalC: Math.min(warmestC, of.targetC ?? warmestC),
    warmestC,
  };
}

/** A worse sensor sees trouble later: more distance. */
function sensorGap({ noiseC, stepC }: SensorCharacter): number {
  const noisier = Math.max(0, noiseC - GOOD_NOISE_C);
  return GAP_C + GAP_PER_NOISE * noisier + GAP_PER_STEP * Math.max(0, stepC - GOOD_STEP_C);
}
