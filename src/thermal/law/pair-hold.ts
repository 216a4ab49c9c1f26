import { type Allocation, allocate, type Hull, loadAt } from '../ladder.js';

/** Keeps the reported pair of rungs calm. */
export interface PairHold {
  /** The segment in use; −1 for none. */
  readonly segment: number;
  /** Allocates a load; the pair above the one in use is taken only when it lasts. */
  allocate(hull: Hull, load: number, fps: number, minFps: number, dtS: number): Allocation;
  /** Forgets the segment: what comes next is taken at once. */
  release(): void;
}

const WAIT_S = 45;
/** A load this much below a corner spends it all but stays in the pair below. */
const BELOW_CORNER = 0.999;

/**
 * A budget that hovers at a corner of the hull would change the pair again and again. Down is at
 * once, two pairs up are at once, one pair up waits.
 */
export function createPairHold(): PairHold {
  let segment = -1;
  let waitedS = 0;
  return {
    get segment() {
      return segment;
    },
    release() {
      segment = -1;
    },
    allocate(hull, load, fps, minFps, dtS) {
      let plan = allocate(hull, load, fps, { minFps, segment });
      const oneUp = segment >= 0 && plan.segment === segment + 1;
      waitedS = oneUp ? waitedS + dtS : 0;
      if (oneUp && waitedS < WAIT_S) {
        const corner = loadAt(hull, segment + 1, fps) * BELOW_CORNER;
        plan = allocate(hull, corner, fps, { minFps, segment });
      }
      segment = plan.segment;
      return plan;
    },
  };
}
