export type Point = readonly [x: number, y: number];

/** Whether a point lies in a polygon, even-odd; on its edge counts as one side or the other. */
export function isInside([x, y]: Point, polygon: readonly Point[]): boolean {
  let inside = false;
  let [lastX, lastY] = polygon.at(-1) ?? [0, 0];
  for (const [nextX, nextY] of polygon) {
    if (nextY > y !== lastY > y && x < ((lastX - nextX) * (y - nextY)) / (lastY - nextY) + nextX) {
      inside = !inside;
    }
    [lastX, lastY] = [nextX, nextY];
  }
  return inside;
}

/**
 * Whether the way from one point to another crosses a line from `a` to `b`: `in` from its left to its
 * right, as one looks along it; `out` the other way; null: it does not.
 */
export function crossing(
  from: Point,
  to: Point,
  [a, b]: readonly [Point, Point],
): 'in' | 'out' | null {
  const before = sideOf(from, a, b);
  const after = sideOf(to, a, b);
  if (before > 0 === after > 0 || before === after) return null;
  if (sideOf(a, from, to) > 0 === sideOf(b, from, to) > 0) return null;
  return after > 0 ? 'in' : 'out';
}

/** Positive to the right of the line from `a` to `b`, with y downwards. */
export function sideOf([x, y]: Point, [aX, aY]: Point, [bX, bY]: Point): number {
  return (bX - aX) * (y - aY) - (bY - aY) * (x - aX);
}
