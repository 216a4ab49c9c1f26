import type { Box } from '../../inference/result.js';
import { distanceOf, overlapOf, sizeRatioOf } from './box.js';

/** An object that is followed, as matching sees it. */
export interface Followed {
  /** Where it should be by now. */
  readonly expected: Box;
  /** Seconds since it was seen, and whether the last look found it. */
  readonly unseen: number;
  readonly isFresh: boolean;
}

/** Overlap of the box with the expected one that is enough by itself. */
const LEAST_OVERLAP = 0.1;
/** Where two objects fit a box, the one that was there a moment ago is meant. */
const FRESH_BONUS = 0.1;
/** Without overlap: how far the centre may be off, in sides of the object, now and for each second. */
const REACH = 1;
const REACH_A_SECOND = 0.5;
const MOST_REACH = 2;
const MOST_SIZE_RATIO = 3;

interface Pair {
  readonly object: number;
  readonly box: number;
  readonly fit: number;
}

/**
 * Which box is which object: the best pairs first, those that overlap before those that are only near.
 *
 * @returns for each box the index of its object, or −1 for one that is new
 */
export function matchBoxes(objects: readonly Followed[], boxes: readonly Box[]): Int32Array {
  const owner = new Int32Array(boxes.length).fill(-1);
  if (objects.length === 0 || boxes.length === 0) return owner;
  const taken = new Uint8Array(objects.length);
  for (const fitOf of [overlapFit, nearFit]) {
    const pairs: Pair[] = [];
    for (let object = 0; object < objects.length; object += 1) {
      const followed = objects[object];
      if (followed === undefined || taken[object] === 1) continue;
      for (let box = 0; box < boxes.length; box += 1) {
        const seen = boxes[box];
        if (seen === undefined || owner[box] !== -1 || isFar(followed.expected, seen)) continue;
        const fit = fitOf(followed, seen);
        if (fit !== null) pairs.push({ object, box, fit });
      }
    }
    pairs.sort((a, b) => b.fit - a.fit);
    for (const { object, box } of pairs) {
      if (taken[object] === 1 || owner[box] !== -1) continue;
      taken[object] = 1;
      owner[box] = object;
    }
  }
  return owner;
}

function overlapFit({ expected, isFresh }: Followed, seen: Box): number | null {
  const overlap = overlapOf(expected, seen);
  return overlap < LEAST_OVERLAP ? null : overlap + (isFresh ? FRESH_BONUS : 0);
}

function nearFit({ expected, unseen }: Followed, seen: Box): number | null {
  const distance = distanceOf(expected, seen);
  const reach = Math.min(MOST_REACH, REACH + REACH_A_SECOND * unseen);
  return distance > reach || sizeRatioOf(expected, seen) > MOST_SIZE_RATIO ? null : -distance;
}

/** Whether two boxes neither overlap nor are near, said at once of most pairs in a crowd. */
function isFar(a: Box, b: Box): boolean {
  const across = Math.abs(a[0] + a[2] / 2 - b[0] - b[2] / 2);
  const down = Math.abs(a[1] + a[3] / 2 - b[1] - b[3] / 2);
  const reach = MOST_REACH * Math.max(a[2], a[3], b[2], b[3]);
  return across > reach || down > reach;
}
