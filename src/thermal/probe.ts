/**
 * A quiet, coarse sensor that has not changed for a minute may be frozen. The only way to know is
 * to move the temperature: the budget dips, deeper second by second, until the reading answers (or
 * the fault detector concludes that it never will).
 */
export interface Probe {
  /** Returns the factor on the budget, 0.3 to 1. */
  update(stillS: number, allowed: boolean, dtS: number): number;
}

const AFTER_S = 60;
const DIP_PER_S = 0.03;
const RETURN_PER_S = 0.03;
const DEEPEST = 0.3;

export function createProbe(): Probe {
  let factor = 1;
  return {
    update(stillS, allowed, dtS) {
      factor =
        allowed && stillS >= AFTER_S
          ? Math.max(DEEPEST, factor - DIP_PER_S * dtS)
          : Math.min(1, factor + RETURN_PER_S * dtS);
      return factor;
    },
  };
}
