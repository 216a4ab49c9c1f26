import { codedError } from '../errors.js';

/** How the bytes of an unpacked picture are laid out; see Frame for the two formats. */
export interface PixelLayout {
  readonly width: number;
  readonly height: number;
  readonly format: 'rgb24' | 'yuv420p';
  /** Luma range of `yuv420p`. */
  readonly range: 'full' | 'limited';
}

/** Longest side of a frame, pixels: more than any camera of these boards delivers. */
export const MAX_SIDE = 16_384;

/** Bytes of a picture: 3 a pixel, or a luma plane and two planes of half the size, rounded up. */
export function byteLength(layout: Omit<PixelLayout, 'range'>): number {
  const { width, height } = layout;
  if (layout.format === 'rgb24') return width * height * 3;
  return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
}

/** @throws MND_FRAME_INVALID unless the sides are whole numbers from 1 to 16384 and the bytes fit */
export function checkLayout(layout: PixelLayout, bytes: Uint8Array, subject: string): void {
  const { width, height, format } = layout;
  if (!isSide(width) || !isSide(height)) {
    throw codedError('MND_FRAME_INVALID', {
      subject,
      expected: `sides of 1 to ${MAX_SIDE} pixels`,
      found: `${width}×${height}`,
    });
  }
  if (bytes.length !== byteLength(layout)) {
    throw codedError('MND_FRAME_INVALID', {
      subject,
      expected: `${byteLength(layout)} bytes for ${width}×${height} ${format}`,
      found: `${bytes.length} bytes`,
    });
  }
}

function isSide(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_SIDE;
}
