import { oneOf } from '../../schema/format.js';
import { key } from '../../schema/section.js';
import { describeSource } from './description.js';
import { LIBCAMERA_KEYS, libcameraFaults } from './libcamera/keys.js';
import { createLibcameraStream } from './libcamera/stream.js';

export const LIBCAMERA = describeSource({
  summary: 'a Raspberry Pi camera, streaming',
  frames: '`yuv420p`, full range',
  through: '`rpicam-vid`, else `libcamera-vid`',
  keys: {
    capture: key(
      oneOf('stream', 'still', 'auto'),
      'stream',
      "How a libcamera camera is read: stream; still takes single pictures with the camera off in between; auto streams, and takes stills while the board is too hot even for the governor's floor.",
    ),
    ...LIBCAMERA_KEYS,
  },
  needs: [],
  schemes: [],
  devices: 'libcamera',
  turns: [0, 180],
  stills: 'still',
  alone: false,
  selects: true,
  rate: ({ fps }) => fps,
  leastStall: 0,
  trial: 20,
  advice: 'try it without this program: rpicam-hello --timeout 2000',
  missing: null,
  faults: libcameraFaults,
  create: (options, { path, spawn, clock }) =>
    createLibcameraStream({
      size: options.size,
      fps: options.fps,
      rotation: options.rotation,
      controls: options.controls,
      path,
      spawn,
      clock,
    }),
});
