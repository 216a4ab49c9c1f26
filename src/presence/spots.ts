import type { Box } from '../inference/result.js';
import { overlapOf } from './objects/box.js';

/** A place in the picture where something is taken for a label that it is not. */
export interface Spot {
  readonly id: string;
  readonly label: string;
  /** Pixels of the frame that zones are measured in. */
  readonly box: Box;
}

/** The same false alarm: as large, and in the same place. */
const SAME_OVERLAP = 0.5;
/** What was first seen this far outside has come from elsewhere. */
const ELSEWHERE_OVERLAP = 0.2;

/**
 * The spot that an object is taken for; null: it may be said. What has come into the spot from elsewhere
 * is real, and so is what leaves it.
 *
 * @param first where the object was seen first
 */
export function spotOf(spots: readonly Spot[], label: string, first: Box, now: Box): Spot | null {
  const found = spots.find(
    (spot) =>
      spot.label === label &&
      overlapOf(spot.box, now) >= SAME_OVERLAP &&
      overlapOf(spot.box, first) >= ELSEWHERE_OVERLAP,
  );
  return found ?? null;
}
