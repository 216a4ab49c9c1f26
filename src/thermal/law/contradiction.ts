import type { ThrottleState } from '../throttle-flags.js';

/** A reading far below the limit while the firmware throttles because of heat. */
export interface Contradiction {
  /** @returns true once it has lasted */
  update(
    heat: ThrottleState,
    seen: { readonly readingC: number | null; readonly limitC: number },
    dtS: number,
  ): boolean;
  /** There is one, be it for a moment. */
  readonly suspected: boolean;
}

const FAR_C = 10;
const LASTING_S = 2;

export function createContradiction(): Contradiction {
  let forS = 0;
  return {
    update(heat, { readingC, limitC }, dtS) {
      const cool = readingC !== null && readingC < limitC - FAR_C;
      // The soft limit of the 3A+ and 3B+ lies far below the limit by design.
      forS = heat.heat && !heat.soft && cool ? forS + dtS : 0;
      return forS >= LASTING_S;
    },
    get suspected() {
      return forS > 0;
    },
  };
}
