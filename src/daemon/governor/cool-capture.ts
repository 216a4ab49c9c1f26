import type { Decision } from '../../thermal/sample.js';

/** Decides when cameras that may (`capture: auto`) take stills instead of streaming. */
export interface CoolCapture {
  /** Takes the decision of a moment (s, any origin); true while cameras should keep cool. */
  update(decision: Decision, timeS: number): boolean;
}

/** The governor's floor must have been too hot for so long … */
const HOT_FOR_S = 60;
/** … and the board at least this far below the target for so long before streams come back. */
const COOL_BY_C = 5;
const COOL_FOR_S = 300;

/** @param minFps the governor's least frame rate */
export function createCoolCapture(minFps: number): CoolCapture {
  let cool = false;
  /** Since when the opposite of `cool` has been called for; null: it is not. */
  let since: number | null = null;
  return {
    update(decision, timeS) {
      const { temperatureC, targetC } = decision;
      if (temperatureC === null) return cool;
      const calls = cool ? temperatureC <= targetC - COOL_BY_C : isBelowFloor(decision, minFps);
      if (!calls) since = null;
      else since ??= timeS;
      if (since !== null && timeS - since >= (cool ? COOL_FOR_S : HOT_FOR_S)) {
        cool = !cool;
        since = null;
      }
      return cool;
    },
  };
}

/** The floor is in force, by emergency or by budget, and it is still too warm. */
function isBelowFloor(decision: Decision, minFps: number): boolean {
  const { mode, fps, temperatureC, targetC } = decision;
  if (mode === 'emergency') return true;
  return fps <= minFps && temperatureC !== null && temperatureC > targetC;
}
