/**
 * What the forecast keeps off the target for its uncertainty, and what the budget's hold costs, adds
 * up to a board that is cooler than it need be. The trim looks at what was reached: when minutes
 * have gone by and even the hottest moment stayed below the goal, the aim is raised; when the goal
 * was passed, it is lowered at once.
 */
export interface Trim {
  /**
   * Takes a second and returns °C to add to the aim.
   *
   * @param estimateC The modelled temperature.
   * @param goalC What the hottest moments should reach.
   * @param limited The budget is what holds the temperature down, and the sensor is believed.
   */
  update(estimateC: number, goalC: number, limited: boolean, dtS: number): number;
  readonly valueC: number;
}

const START_C = -0.3;
const LEAST_C = -0.5;
const MOST_C = 0.4;
const SLOT_S = 20;
const SLOTS = 7;
/** °C a second: half a degree in four minutes. */
const RISE = 0.5 / 240;
/** Share of an overshoot that is taken back each second. */
const FALL = 1 / 40;
const CLOSE_C = 0.1;

export function createTrim(restoredC = START_C): Trim {
  let value = Math.min(MOST_C, Math.max(LEAST_C, restoredC));
  let peaks: number[] = [];
  let slot = { ageS: 0, peakC: Number.NEGATIVE_INFINITY };
  return {
    update(estimateC, goalC, limited, dtS) {
      if (!limited || !Number.isFinite(estimateC)) {
        peaks = [];
        slot = { ageS: 0, peakC: Number.NEGATIVE_INFINITY };
        return value;
      }
      slot = { ageS: slot.ageS + dtS, peakC: Math.max(slot.peakC, estimateC) };
      if (slot.ageS >= SLOT_S) {
        peaks = [...peaks.slice(1 - SLOTS), slot.peakC];
        slot = { ageS: 0, peakC: Number.NEGATIVE_INFINITY };
      }
      const over = estimateC - goalC;
      if (over > CLOSE_C) value -= over * FALL * dtS;
      else if (peaks.length === SLOTS && Math.max(...peaks, slot.peakC) < goalC - CLOSE_C)
        value += RISE * dtS;
      value = Math.min(MOST_C, Math.max(LEAST_C, value));
      return value;
    },
    get valueC() {
      return value;
    },
  };
}
