import { type Point, sideOf } from '../../presence/zones/area.js';

/** What is wrong with a polygon as the outline of an area; null: nothing. It may be told closed or open. */
export function outlineFault(given: readonly Point[]): string | null {
  const points = given.filter((point, at) => !isSame(point, given.at(at - 1)));
  const [first, second] = points;
  if (first === undefined || second === undefined) return NO_SURFACE;
  if (points.every((point) => sideOf(point, first, second) === 0)) return NO_SURFACE;
  for (let a = 0; a < points.length; a += 1) {
    for (let b = a + 2; b < points.length; b += 1) {
      const [from, to] = sideAt(points, a);
      const [otherFrom, otherTo] = sideAt(points, b);
      if (!doCross(from, to, otherFrom, otherTo)) continue;
      return `expected corners in order around the area: the line after corner ${a + 1} crosses that after corner ${b + 1}`;
    }
  }
  return null;
}

const NO_SURFACE = 'expected three corners that are not on one line';
const NOWHERE: Point = [0, 0];

function isSame(a: Point, b: Point | undefined): boolean {
  return a[0] === b?.[0] && a[1] === b?.[1];
}

function sideAt(points: readonly Point[], at: number): readonly [Point, Point] {
  return [points[at] ?? NOWHERE, points[(at + 1) % points.length] ?? NOWHERE];
}

/** Whether two lines cross between their ends; touching is none. */
function doCross(a: Point, b: Point, c: Point, d: Point): boolean {
  const isBetween = (one: number, other: number) =>
    (one > 0 && other < 0) || (one < 0 && other > 0);
  return isBetween(sideOf(c, a, b), sideOf(d, a, b)) && isBetween(sideOf(a, c, d), sideOf(b, c, d));
}
