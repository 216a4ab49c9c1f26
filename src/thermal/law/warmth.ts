import type { GovernorMode } from '../sample.js';

/** Whether heat is so near that cooler ways to run are worth their time: on a cool board frames are quick. */
export interface Warmth {
  /**
   * @param mode of the last decision; null before the first
   * @param belowC distance of the temperature from the target, °C; NaN: not known
   */
  update(mode: GovernorMode | null, belowC: number, dtS: number): boolean;
}

/** Cool is what runs in full, this far below its target, for so long. */
const COOL_BY_C = 5;
const COOL_FOR_S = 600;

export function createWarmth(): Warmth {
  let isWarm = false;
  let coolS = 0;
  return {
    update(mode, belowC, dtS) {
      if (mode === 'limited' || mode === 'emergency') isWarm = true;
      coolS = mode === 'full' && belowC >= COOL_BY_C ? coolS + dtS : 0;
      if (coolS >= COOL_FOR_S) isWarm = false;
      return isWarm;
    },
  };
}
