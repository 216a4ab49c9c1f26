import sharp from 'sharp';
import type { CapturedFrame, Source } from './source.js';

/** Corners of an area, pixels of the camera's configured size. */
export type Polygon = readonly (readonly [x: number, y: number])[];

/** Blacks areas out, in place. */
export interface FrameMask {
  /** `frame` is `rgb24` or `yuv420p`; encoded frames are left alone (see {@link withMask}). */
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

/**
 * A source whose frames are masked before anyone sees them. An encoded picture is decoded for that
 * (the newest while another is being decoded) and goes on as `rgb24`; one that cannot be decoded is
 * dropped, since it cannot be masked.
 */
export function withMask(source: Source, mask: FrameMask): Source {
  return {
    async run(signal, onFrame) {
      let next: Uint8Array | null = null;
      let decoding: Promise<void> | null = null;
      const pass = (frame: CapturedFrame): void => {
        mask.apply(frame);
        onFrame(frame);
      };
      const decodeNewest = async (): Promise<void> => {
        while (next !== null && !signal.aborted) {
          const encoded = next;
          next = null;
          const frame = await decode(encoded);
          if (frame !== null && !signal.aborted) pass(frame);
        }
        decoding = null;
      };
      const reason = await source.run(signal, (frame) => {
        if (frame.format !== 'jpeg') {
          pass(frame);
          return;
        }
        next = frame.bytes.slice();
        decoding ??= decodeNewest();
      });
      if (decoding !== null) await decoding;
      return reason;
    },
  };
}

async function decode(encoded: Uint8Array): Promise<CapturedFrame | null> {
  try {
    const { data, info } = await sharp(encoded)
      .rotate()
      .flatten()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) return null;
    const { width, height } = info;
    return { width, height, format: 'rgb24', range: 'full', bytes: data };
  } catch {
    return null;
  }
}
