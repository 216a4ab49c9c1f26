import { describeSource } from './description.js';
import { LIBCAMERA_KEYS, libcameraFaults } from './libcamera/keys.js';
import { createStillSource } from './libcamera/still.js';
import { rateOf } from './rate.js';

/** A still may take its deadline, and the end of the program after it: seconds. */
const LEAST_STALL = 40;

const rate = (options: { readonly fps: number; readonly still_interval: number }): number =>
  Math.min(options.fps, 1 / options.still_interval);

export const STILL = describeSource({
  summary: 'a Raspberry Pi camera that is off between pictures',
  frames: 'JPEG',
  through: '`rpicam-still`, else `libcamera-still`, through node-libcamera',
  keys: LIBCAMERA_KEYS,
  needs: [],
  schemes: [],
  devices: 'libcamera',
  turns: [0, 180],
  alone: true,
  selects: true,
  rate,
  leastStall: LEAST_STALL,
  trial: 45,
  advice: 'try it without this program: rpicam-hello --timeout 2000',
  missing: null,
  faults: libcameraFaults,
  create: (options, surroundings) =>
    createStillSource({
      size: options.size,
      rotation: options.rotation,
      controls: options.controls,
      fps: rateOf(rate(options), surroundings),
      path: surroundings.path,
      clock: surroundings.clock,
    }),
});
