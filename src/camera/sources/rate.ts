import type { FrameRate } from '../pacer.js';
import type { SourceSurroundings } from './description.js';

/** At most `most` frames a second, and fewer while fewer are wanted. */
export function rateOf(most: number, { rate }: SourceSurroundings): FrameRate {
  return rate === undefined ? most : () => Math.min(most, rate());
}
