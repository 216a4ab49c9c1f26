/**
 * A quiet, coarse sensor that has not changed for a minute may be frozen. The only way to know is
 * to move the temperature: the load dips, deeper second by second, until the reading answers (or
 * the fault detector concludes that it never will). Every answer buys a longer wait.
 */
export interface Probe {
  /** Returns the factor on the load, 0.3 to 1. */
  update(stillS: number, options: ProbeOptions, dtS: number): number;
  readonly factor: number;
}

export interface ProbeOptions {
  readonly allowed: boolean;
  /** The sensor is known to be noisy: standing still for a minute is alarming each time. */
  readonly noisy: boolean;
}

const AFTER_S = 60;
const PATIENCE = 1.5;
const MOST_PATIENT_S = 180;
const DIP_PER_S = 0.03;
const RETURN_PER_S = 0.03;
const DEEPEST = 0.3;

export function createProbe(): Probe {
  let factor = 1;
  let patienceS = AFTER_S;
  let probing = false;
  return {
    get factor() {
      return factor;
    },
    update(stillS, { allowed, noisy }, dtS) {
      if (probing && stillS === 0) patienceS = Math.min(MOST_PATIENT_S, patienceS * PATIENCE);
      probing = allowed && stillS >= (noisy ? AFTER_S : patienceS);
      factor = probing
        ? Math.max(DEEPEST, factor - DIP_PER_S * dtS)
        : Math.min(1, factor + RETURN_PER_S * dtS);
      return factor;
    },
  };
}
