import type { CapturedFrame } from '../source.js';
import type { PixelStep } from './pixels.js';

/** Corners of an area, pixels of the camera's configured size. */
export type Polygon = readonly (readonly [x: number, y: number])[];

/** Blacks areas out, in place. */
export interface FrameMask {
  /** `frame` is `rgb24` or `yuv420p`; encoded frames are left alone. */
  apply(frame: CapturedFrame): void;
}

/** Runs of pixels from `from` up to, not including, `to`. */
type Span = readonly [row: number, from: number, to: number];

/** Lines per row of pixels on which a polygon is sampled. */
const LINES_PER_ROW = 4;
const NEUTRAL_CHROMA = 128;
const BLACK = { full: 0, limited: 16 } as const;

/**
 * A mask of polygons (even-odd inside) drawn on frames of `size`; on frames of another size it is
 * stretched with them. A pixel that a polygon touches on one of four lines is black as a whole, and
 * so is the chroma of its neighbours in 4:2:0: rather too much than too little.
 */
export function createMask(
  polygons: readonly Polygon[],
  size: readonly [width: number, height: number],
): FrameMask {
  let spans: readonly Span[] = [];
  let spansFor = '';
  return {
    apply(frame) {
      const { width, height, format, range, bytes } = frame;
      if (format === 'jpeg') return;
      const key = `${width}×${height}`;
      if (key !== spansFor) {
        spans = polygons.flatMap((polygon) => spansOf(polygon, size, width, height));
        spansFor = key;
      }
      if (format === 'rgb24') {
        for (const [row, from, to] of spans) {
          bytes.fill(0, (row * width + from) * 3, (row * width + to) * 3);
        }
      } else {
        fillPlanes(bytes, spans, width, height, BLACK[range]);
      }
    },
  };
}

/** {@link createMask} as a step that every frame goes through. */
export function createMaskStep(
  polygons: readonly Polygon[],
  size: readonly [width: number, height: number],
): PixelStep {
  const mask = createMask(polygons, size);
  return (frame) => {
    mask.apply(frame);
    return frame;
  };
}

function fillPlanes(
  bytes: Uint8Array,
  spans: readonly Span[],
  width: number,
  height: number,
  black: number,
): void {
  const columns = Math.ceil(width / 2);
  const rows = Math.ceil(height / 2);
  const chroma = width * height;
  for (const [row, from, to] of spans) {
    bytes.fill(black, row * width + from, row * width + to);
    const start = chroma + (row >> 1) * columns;
    for (const plane of [start, start + rows * columns]) {
      bytes.fill(NEUTRAL_CHROMA, plane + (from >> 1), plane + Math.ceil(to / 2));
    }
  }
}

function spansOf(
  polygon: Polygon,
  size: readonly [number, number],
  width: number,
  height: number,
): Span[] {
  const corners = polygon.map(([x, y]) => [(x * width) / size[0], (y * height) / size[1]] as const);
  const spans: Span[] = [];
  for (let row = 0; row < height; row += 1) {
    for (let line = 0; line < LINES_PER_ROW; line += 1) {
      const crossings = crossingsAt(corners, row + (line + 0.5) / LINES_PER_ROW);
      for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
        const from = Math.max(0, Math.floor(crossings[pair] ?? 0));
        const to = Math.min(width, Math.ceil(crossings[pair + 1] ?? 0));
        if (from < to) spans.push([row, from, to]);
      }
    }
  }
  return spans;
}

/** Where the polygon's sides cross the horizontal line at `y`, from left to right. */
function crossingsAt(corners: readonly (readonly [number, number])[], y: number): number[] {
  const crossings: number[] = [];
  for (const [index, [x1, y1]] of corners.entries()) {
    const [x2, y2] = corners[(index + 1) % corners.length] ?? [x1, y1];
    if (y1 <= y === y2 <= y) continue;
    crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
  }
  return crossings.sort((a, b) => a - b);
}
