/** Values of an output tensor, stored as its {@link ModelOutput} says. */
export type StoredValues = Uint8Array | Float32Array;

export interface Detection {
  /** Class index, from 1 where 0 is the background. */
  readonly index: number;
  /** 0 to 1. */
  readonly score: number;
  /** Left, top, width, height as fractions of the input picture, inside it. */
  readonly box: readonly [x: number, y: number, width: number, height: number];
}

/** An unclipped box, fractions of the picture. */
export interface Corners {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** Intersection over union. */
export function overlap(a: Corners, b: Corners): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (areaOf(a) + areaOf(b) - shared);
}

function areaOf({ top, left, bottom, right }: Corners): number {
  return (right - left) * (bottom - top);
}

function clip(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

/** A box cut to the picture: left, top, width, height; null if nothing of it lies in there. */
export function clipped({ top, left, bottom, right }: Corners): Detection['box'] | null {
  const [x, y] = [clip(left), clip(top)];
  const [width, height] = [clip(right) - x, clip(bottom) - y];
  return width > 0 && height > 0 ? [x, y, width, height] : null;
}
