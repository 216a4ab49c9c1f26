/** Learns that a board throttles below the limit it was given. */
export interface ThrottlePoint {
  /** Returns the limit to keep, °C. */
  update(
    limitC: number,
    seen: { readonly throttled: boolean; readonly temperatureC: number; readonly dtS: number },
  ): number;
  readonly learnedC: number | null;
}

/** The learned limit is forgotten at 3 °C an hour: a new fan or a cooler day shows soon. */
const FORGET_C_PER_S = 3 / 3600;
const LOWEST_C = 45;

export function createThrottlePoint(learnedC: number | null = null): ThrottlePoint {
  let learned = learnedC;
  let wasThrottled = false;
  return {
    get learnedC() {
      return learned;
    },
    update(limitC, seen) {
      if (learned !== null) {
        learned += FORGET_C_PER_S * seen.dtS;
        if (learned >= limitC) learned = null;
      }
      // Only the moment it starts: the firmware's hysteresis keeps the flag on below that point.
      if (seen.throttled && !wasThrottled && seen.temperatureC < limitC) {
        learned = Math.max(LOWEST_C, Math.min(learned ?? limitC, seen.temperatureC));
      }
      wasThrottled = seen.throttled;
      return learned === null ? limitC : Math.min(limitC, learned);
    },
  };
}
