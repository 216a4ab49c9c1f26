import type { Decision } from '../../thermal/sample.js';

/** What part of its own rate a camera of this board is asked for. */
export interface StreamRate {
  /**
   * Takes a second.
   *
   * @param labelled part of the frames asked for that were labelled in it, 0 to 1
   * @param timeS any origin
   * @returns the part to ask for, 0.1 to 1
   */
  update(decision: Pick<Decision, 'mode'>, labelled: number, timeS: number): number;
}

/** A camera is begun anew for it: never twice within so long, s. */
const SELDOM_S = 600;
/** It must have been called for so long, s. */
const LASTING_S = 60;
/** Worth it when this part of the frames is needed, or less … */
const FEW = 0.5;
/** … with this much more than is labelled, so that more may be labelled the next second. */
const ROOM = 1.5;
const LEAST = 0.1;
/** All that comes is labelled: more may be wanted. */
const ALL = 0.92;

/**
 * Sensor, image processor and decoder heat with every frame, looked at or not. While heat limits what is
 * labelled, a camera delivers little more than that; it has its rate again when all of it is labelled, or
 * nothing is in the way.
 */
export function createStreamRate(): StreamRate {
  let part = 1;
  let changedS = Number.NEGATIVE_INFINITY;
  let sinceS: number | null = null;
  let mean: number | null = null;
  let lastS = 0;
  return {
    update({ mode }, labelled, timeS) {
      const share = mean === null ? 1 : 1 - Math.exp(-Math.max(0, timeS - lastS) / LASTING_S);
      mean = (mean ?? labelled) + share * (labelled - (mean ?? labelled));
      lastS = timeS;
      const isWarm = mode === 'limited' || mode === 'emergency';
      const calls = part < 1 ? mode === 'full' || mean >= ALL * part : isWarm && ROOM * mean <= FEW;
      sinceS = calls ? (sinceS ?? timeS) : null;
      const isDue = sinceS !== null && timeS - sinceS >= LASTING_S && timeS - changedS >= SELDOM_S;
      if (!isDue) return part;
      part = part < 1 ? 1 : Math.max(LEAST, ROOM * mean);
      changedS = timeS;
      sinceS = null;
      return part;
    },
  };
}
