import { MAX_FRAME_BYTES } from '../slot.js';
import type { SourceFault } from './description.js';

const MAX_SIDE = 8192;

/**
 * Whether a program can be asked for frames of this size: even sides of `least` to 8192 pixels, and no
 * more bytes (as `yuv420p`) than a frame may have.
 */
export function sizeFaults(
  size: readonly [width: number, height: number],
  least: number,
): readonly SourceFault[] {
  const [width, height] = size;
  const isSide = (side: number): boolean =>
    Number.isInteger(side) && side >= least && side <= MAX_SIDE && side % 2 === 0;
  if (!isSide(width) || !isSide(height)) {
    return [{ key: 'size', expected: `even sides of ${least} to ${MAX_SIDE} pixels` }];
  }
  if (width * height * 1.5 <= MAX_FRAME_BYTES) return [];
  const most = Math.floor(MAX_FRAME_BYTES / 1.5 / 1e6);
  return [{ key: 'size', expected: `at most ${most} million pixels` }];
}
