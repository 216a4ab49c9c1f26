import type { Rotation } from '../description.js';
import { pictureFaults } from './arguments.js';

const TURNS: readonly Rotation[] = [0, 90, 180, 270];

/** What all kinds that ffmpeg reads have in common. */
export const FFMPEG_DESCRIPTION = {
  frames: '`yuv420p`, full range',
  through: 'ffmpeg',
  turns: TURNS,
  alone: false,
  selects: true,
  rate: ({ fps }: { readonly fps: number }): number => fps,
  leastStall: 0,
  trial: 20,
  faults: pictureFaults,
} as const;
