import type { Box } from '../../../inference/result.js';

/** Room around the object, of its longer side: classifiers were trained with some. */
const ROOM = 1.1;

/**
 * The part of a frame that is handed to a classifier for one object: a square around its box, moved
 * inside where it would pass the frame's edge, and cut off where it is larger than the frame.
 *
 * @param box of the object, pixels of the frame
 * @param frame width and height, pixels
 * @param kept part of each side that the classifier's own central crop keeps, in (0, 1]
 */
export function cropAround(
  box: Box,
  frame: readonly [width: number, height: number],
  kept: number,
): Box {
  const [x, y, width, height] = box;
  const side = (ROOM * Math.max(width, height)) / kept;
  const [left, across] = inside(x + width / 2, side, frame[0]);
  const [top, down] = inside(y + height / 2, side, frame[1]);
  return [left, top, across, down];
}

/** Start and length of a stretch around a centre, within a frame's side. */
function inside(centre: number, length: number, side: number): readonly [number, number] {
  if (length >= side) return [0, side];
  return [Math.min(Math.max(0, centre - length / 2), side - length), length];
}
