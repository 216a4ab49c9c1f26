import type { CapturedFrame } from '../source.js';

/** Cells across and down: at 640 × 480 one has 40 × 40 pixels. */
const COLUMNS = 16;
const ROWS = 12;
/** Pixels that are read of a cell, across and down: as many of a large picture as of a small one. */
const POINTS = 5;

/** Numbers in a {@link glanceAt}. */
export const GLANCE = COLUMNS * ROWS;

/**
 * Mean luma (of rgb24: green, which is most of luma) on a coarse grid: enough to tell whether something of
 * a size that a network can see has come or gone.
 */
export function glanceAt(
  { width, height, format, bytes }: Pick<CapturedFrame, 'width' | 'height' | 'format' | 'bytes'>,
  means: Float32Array,
): void {
  const pixel = format === 'rgb24' ? 3 : 1;
  const offset = format === 'rgb24' ? 1 : 0;
  const across = Math.max(1, Math.floor(width / (COLUMNS * POINTS))) * pixel;
  const down = Math.max(1, Math.floor(height / (ROWS * POINTS))) * width * pixel;
  for (let row = 0; row < ROWS; row += 1) {
    const line = Math.floor((row * height) / ROWS) * width;
    for (let column = 0; column < COLUMNS; column += 1) {
      let at = (line + Math.floor((column * width) / COLUMNS)) * pixel + offset;
      let sum = 0;
      for (let point = 0; point < POINTS; point += 1) {
        sum += bytes[at] ?? 0;
        sum += bytes[at + across] ?? 0;
        sum += bytes[at + 2 * across] ?? 0;
        sum += bytes[at + 3 * across] ?? 0;
        sum += bytes[at + 4 * across] ?? 0;
        at += down;
      }
      means[row * COLUMNS + column] = sum / (POINTS * POINTS);
    }
  }
}
