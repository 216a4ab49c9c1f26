/**
 * A model that is wrong may promise, second after second, a cooling that does not come. Above the
 * goal and not falling, the load of now is too much whatever the forecast says.
 */
export interface Correction {
  /**
   * @param loadNow Own load of the last seconds, fraction.
   * @param perLoadC °C a unit of load makes within a minute.
   * @returns the most the budget may be; Infinity while there is nothing to correct
   */
  update(estimateC: number, goalC: number, loadNow: number, perLoadC: number, dtS: number): number;
}

const SPAN_S = 12;
const ABOVE_C = 0.15;
const FALLING_C = 0.04;
/** A spike as short as this is none of its business. */
const PASSING_S = 4;
const RISING_C = 0.1;
const SHARE = 0.35;
const SHARE_RISING = 1;

export function createCorrection(): Correction {
  let aboveS = 0;
  let past: { readonly ageS: number; readonly estimateC: number }[] = [];
  return {
    update(estimateC, goalC, loadNow, perLoadC, dtS) {
      past = past
        .map((p) => ({ ageS: p.ageS + dtS, estimateC: p.estimateC }))
        .filter((p) => p.ageS <= SPAN_S);
      const oldest = past[0];
      past.push({ ageS: 0, estimateC });
      const above = estimateC - goalC;
      aboveS = above > ABOVE_C ? aboveS + dtS : 0;
      if (oldest === undefined || oldest.ageS < SPAN_S / 2 || aboveS <= PASSING_S) {
        return Number.POSITIVE_INFINITY;
      }
      if (estimateC < oldest.estimateC - FALLING_C) return Number.POSITIVE_INFINITY;
      const share = estimateC > oldest.estimateC + RISING_C ? SHARE_RISING : SHARE;
      return Math.max(0, loadNow - (share * above) / Math.max(2, perLoadC));
    },
  };
}
