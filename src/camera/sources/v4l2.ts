import { oneOf } from '../../schema/format.js';
import { key } from '../../schema/section.js';
import { describeSource } from './description.js';
import { pictureFaults } from './ffmpeg/arguments.js';
import { FFMPEG_DESCRIPTION } from './ffmpeg/description.js';
import { isDeviceName } from './ffmpeg/input.js';
import { createFfmpegSource } from './ffmpeg/source.js';
import { DEVICE_KEY, HARDWARE_KEY } from './keys.js';

export const V4L2 = describeSource({
  ...FFMPEG_DESCRIPTION,
  summary: 'a USB camera or capture card',
  keys: {
    device: DEVICE_KEY,
    hardware: HARDWARE_KEY,
    input_format: key(
      oneOf('auto', 'mjpeg', 'yuyv422', 'h264'),
      'auto',
      'Format that a v4l2 camera is asked for.',
    ),
  },
  needs: ['device'],
  schemes: [],
  devices: 'v4l2',
  advice: null,
  missing: 'plug it in, and take a name from /dev/v4l/by-id, which stays the same',
  faults(options) {
    const { device } = options;
    const isDevice = device === null || isDeviceName(device);
    return [
      ...pictureFaults(options),
      ...(isDevice ? [] : [{ key: 'device', expected: 'a device such as /dev/video0' }]),
    ];
  },
  create: (options, { spawn, clock }) =>
    createFfmpegSource({
      input: {
        kind: 'v4l2',
        device: options.device ?? '',
        inputFormat: options.input_format,
      },
      size: options.size,
      fps: options.fps,
      rotation: options.rotation,
      hardware: options.hardware,
      spawn,
      clock,
    }),
});
