import type { Box } from '../../inference/result.js';

/** Intersection over union, 0 to 1. */
export function overlapOf(a: Box, b: Box): number {
  const across = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const down = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (across <= 0 || down <= 0) return 0;
  const both = across * down;
  return both / (a[2] * a[3] + b[2] * b[3] - both);
}

/** Whether the centres are at most so far apart, in sides of the mean square: 1 is about one object further. */
export function areNear(a: Box, b: Box, most: number): boolean {
  const across = a[0] + a[2] / 2 - b[0] - b[2] / 2;
  const down = a[1] + a[3] / 2 - b[1] - b[3] / 2;
  const square = (a[2] * a[3] + b[2] * b[3]) / 2;
  return square > 0 && across * across + down * down <= most * most * square;
}
