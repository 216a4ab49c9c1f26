type Point = readonly [x: number, y: number];
type Size = readonly [width: number, height: number];
/** Left, top, width, height. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/** Whether all coordinates of a polygon or box lie in 0–1: it is a share of the frame then. */
export function isShare(coordinates: readonly number[]): boolean {
  return coordinates.every((value) => value >= 0 && value <= 1);
}

/** What coordinates that are neither all shares nor all whole pixels should be; null when they fit. */
export function coordinatesFault(coordinates: readonly number[]): string | null {
  if (isShare(coordinates) || coordinates.every(Number.isInteger)) return null;
  return 'pixels, all whole, or shares of the frame, all from 0 to 1';
}

/** A polygon in pixels of `size`; one of shares is stretched to it. */
export function polygonInPixels(
  polygon: readonly Point[],
  [width, height]: Size,
): readonly Point[] {
  if (!isShare(polygon.flat())) return polygon;
  return polygon.map(([x, y]) => [x * width, y * height] as const);
}

/** A box in whole pixels of `size`, not empty; one of shares is stretched to it. */
export function boxInPixels(box: Box, [width, height]: Size): Box {
  if (!isShare(box)) return box;
  const [left, top] = [Math.round(box[0] * width), Math.round(box[1] * height)];
  const [x, y] = [Math.min(left, width - 1), Math.min(top, height - 1)];
  const right = Math.max(x + 1, Math.min(width, Math.round((box[0] + box[2]) * width)));
  const bottom = Math.max(y + 1, Math.min(height, Math.round((box[1] + box[3]) * height)));
  return [x, y, right - x, bottom - y];
}
