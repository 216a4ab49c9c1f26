import type { Box } from '../../inference/result.js';
import type { Places } from './places.js';

/** Borders of the view, as bits. */
export const LEFT = 1;
export const RIGHT = 2;
export const TOP = 4;
export const BOTTOM = 8;

/** How far from a border a box still ends at it, in parts of the view's side: networks are not exact. */
const TOUCH = 0.02;

/** Part of an object, across or down, that must be in view to be found there. */
const LEAST_IN_VIEW = 0.1;
/** What meets at a border: the shorter of the two, along it, lies beside the other for at least this part. */
const LEAST_BESIDE = 0.5;

/** The borders of the view that a box ends at. */
export function bordersOf([x, y, width, height]: Box, view: Box): number {
  return bordersAt(x, y, width, height, view);
}

function bordersAt(x: number, y: number, width: number, height: number, view: Box): number {
  const [left, top, across, down] = view;
  const byX = TOUCH * across;
  const byY = TOUCH * down;
  return (
    (x - left <= byX ? LEFT : 0) |
    (left + across - x - width <= byX ? RIGHT : 0) |
    (y - top <= byY ? TOP : 0) |
    (top + down - y - height <= byY ? BOTTOM : 0)
  );
}

/**
 * Middle of an object along one axis, of which a box shows `size` from `start` on. Where a border cuts it off,
 * it goes on behind it for the rest of what is known of its size: what is seen of it is its inner end.
 *
 * @param borders those that the box ends at
 * @param first the border at the beginning of the axis, `last` the one at its end
 */
export function middleOf(
  start: number,
  size: number,
  known: number,
  borders: number,
  first: number,
  last: number,
): number {
  const ends = borders & (first | last);
  if (size >= known || (ends !== first && ends !== last)) return start + size / 2;
  return ends === first ? start + size - known / 2 : start + known / 2;
}

/** What is known of the size of an object along one axis, of which a box shows `size`. */
export function sizeOf(size: number, known: number, isCut: boolean, gain: number): number {
  // It is at least as large as what is seen of it.
  if (isCut) return Math.max(known, size);
  return known + gain * (size - known);
}

/**
 * Leaves of an object the part in view, which is what a box can show of it.
 *
 * @param mayReturn of what has left the view: it is looked for at the border, half in view
 */
export function keepInView(
  places: Places,
  at: number,
  [left, top, across, down]: Box,
  mayReturn: boolean,
): void {
  keepIn(places.x, places.width, at, left, across, mayReturn);
  keepIn(places.y, places.height, at, top, down, mayReturn);
}

function keepIn(
  middles: Float64Array,
  sizes: Float64Array,
  at: number,
  from: number,
  extent: number,
  mayReturn: boolean,
): void {
  const size = sizes[at] ?? 0;
  let middle = middles[at] ?? 0;
  const to = from + extent;
  if (middle - size / 2 >= from && middle + size / 2 <= to) return;
  if (
    middle + size / 2 - from < LEAST_IN_VIEW * size ||
    to - middle + size / 2 < LEAST_IN_VIEW * size
  ) {
    if (!mayReturn) return;
    middle = Math.min(Math.max(middle, from), to);
  }
  const first = Math.max(middle - size / 2, from);
  const last = Math.min(middle + size / 2, to);
  middles[at] = (first + last) / 2;
  sizes[at] = last - first;
}

/**
 * Whether an object and a box can be the same at a border that cuts off more of one than of the other: both
 * end there, side by side, and are about as long along it.
 */
export function meetAtBorder(
  objects: Places,
  object: number,
  boxes: Places,
  box: number,
  view: Box,
  mostRatio: number,
): boolean {
  const borders = placeBorders(objects, object, view) & placeBorders(boxes, box, view);
  const besideX = (borders & (TOP | BOTTOM)) !== 0;
  const besideY = (borders & (LEFT | RIGHT)) !== 0;
  return (
    (besideX &&
      areBeside(objects.x, objects.width, object, boxes.x, boxes.width, box, mostRatio)) ||
    (besideY && areBeside(objects.y, objects.height, object, boxes.y, boxes.height, box, mostRatio))
  );
}

function placeBorders({ x, y, width, height }: Places, at: number, view: Box): number {
  const [across, down] = [width[at] ?? 0, height[at] ?? 0];
  return bordersAt((x[at] ?? 0) - across / 2, (y[at] ?? 0) - down / 2, across, down, view);
}

function areBeside(
  middles: Float64Array,
  sizes: Float64Array,
  at: number,
  otherMiddles: Float64Array,
  otherSizes: Float64Array,
  other: number,
  mostRatio: number,
): boolean {
  const [size, otherSize] = [sizes[at] ?? 0, otherSizes[other] ?? 0];
  const least = Math.max(Math.min(size, otherSize), Number.MIN_VALUE);
  if (Math.max(size, otherSize) / least > mostRatio) return false;
  const apart = Math.abs((middles[at] ?? 0) - (otherMiddles[other] ?? 0));
  return Math.min((size + otherSize) / 2 - apart, least) >= LEAST_BESIDE * least;
}
