/**
 * How far the die is ahead of what is known of it. A sensor answers late, and a filter that mistrusts noise
 * later still: while the temperature climbs by degrees a second, both tell of a die that was.
 */
export interface Lead {
  /**
   * @param estimateC the modelled temperature, °C; NaN: not known
   * @returns °C, 0 or more
   */
  update(estimateC: number, dtS: number): number;
}

/** The rise is taken over so long, s. */
const SPAN_S = 3;
/** Noise and a network's change make as much, °C a second. */
const CALM_C_PER_S = 0.3;
/** Sensor, filter and the second that a decision takes lag by so much, s. */
const LAG_S = 3;
const MOST_C = 6;

export function createLead(): Lead {
  let past: { readonly ageS: number; readonly estimateC: number }[] = [];
  return {
    update(estimateC, dtS) {
      past = past.map((p) => ({ ...p, ageS: p.ageS + dtS })).filter(({ ageS }) => ageS <= SPAN_S);
      const oldest = past[0];
      if (Number.isNaN(estimateC)) past = [];
      else past.push({ ageS: 0, estimateC });
      if (oldest === undefined || Number.isNaN(estimateC)) return 0;
      const rate = (estimateC - oldest.estimateC) / oldest.ageS;
      return Math.min(MOST_C, LAG_S * Math.max(0, rate - CALM_C_PER_S));
    },
  };
}
