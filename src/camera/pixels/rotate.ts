import type { CapturedFrame } from '../source.js';
import type { PixelStep } from './pixels.js';

/** Pixels of a square that is turned at a time, so that both sides stay in the cache. */
const BLOCK = 32;

type Turn = 90 | 180 | 270;

/** Turns frames clockwise, for sources that cannot do it themselves. Needs even sides in 4:2:0. */
export function createRotation(degrees: Turn): PixelStep {
  let turned = new Uint8Array(0);
  return (frame) => {
    const { width, height, format, range, bytes } = frame;
    if (format === 'jpeg') return frame;
    if (turned.length !== bytes.length) turned = new Uint8Array(bytes.length);
    for (const plane of planesOf(frame)) {
      const { offset, columns, rows, pixel } = plane;
      const from = bytes.subarray(offset, offset + columns * rows * pixel);
      turnPlane(from, turned.subarray(offset, offset + from.length), plane, degrees);
    }
    const [across, down] = degrees === 180 ? [width, height] : [height, width];
    return { width: across, height: down, format, range, bytes: turned };
  };
}

interface Plane {
  readonly offset: number;
  readonly columns: number;
  readonly rows: number;
  /** Bytes of a pixel. */
  readonly pixel: number;
}

function planesOf({ width, height, format }: CapturedFrame): readonly Plane[] {
  if (format === 'rgb24') return [{ offset: 0, columns: width, rows: height, pixel: 3 }];
  const [columns, rows] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const luma = width * height;
  return [
    { offset: 0, columns: width, rows: height, pixel: 1 },
    { offset: luma, columns, rows, pixel: 1 },
    { offset: luma + columns * rows, columns, rows, pixel: 1 },
  ];
}

/** Where the first pixel goes, and how far a step to the right and one down move in the result. */
function pathOf(turn: Turn, columns: number, rows: number): readonly [number, number, number] {
  if (turn === 90) return [rows - 1, rows, -1];
  if (turn === 270) return [(columns - 1) * rows, -rows, 1];
  return [columns * rows - 1, -1, -columns];
}

function turnPlane(from: Uint8Array, to: Uint8Array, plane: Plane, turn: Turn): void {
  const { columns, rows, pixel } = plane;
  const [start, right, down] = pathOf(turn, columns, rows);
  for (let top = 0; top < rows; top += BLOCK) {
    const bottom = Math.min(rows, top + BLOCK);
    for (let left = 0; left < columns; left += BLOCK) {
      const end = Math.min(columns, left + BLOCK);
      for (let y = top; y < bottom; y += 1) {
        for (let x = left; x < end; x += 1) {
          const source = (y * columns + x) * pixel;
          const target = (start + x * right + y * down) * pixel;
          for (let byte = 0; byte < pixel; byte += 1) to[target + byte] = from[source + byte] ?? 0;
        }
      }
    }
  }
}
