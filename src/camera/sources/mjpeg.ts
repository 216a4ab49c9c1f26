import { describeSource } from './description.js';
import { FFMPEG_DESCRIPTION } from './ffmpeg/description.js';
import { createFfmpegSource } from './ffmpeg/source.js';
import { HARDWARE_KEY, NETWORK_ADVICE, URL_KEY } from './keys.js';

export const MJPEG = describeSource({
  ...FFMPEG_DESCRIPTION,
  summary: 'a network camera that sends JPEGs over HTTP',
  keys: { url: URL_KEY, hardware: HARDWARE_KEY },
  needs: ['url'],
  schemes: ['http', 'https'],
  devices: null,
  advice: NETWORK_ADVICE,
  missing: null,
  create: (options, { spawn, clock }) =>
    createFfmpegSource({
      input: { kind: 'mjpeg', url: options.url ?? '' },
      size: options.size,
      fps: options.fps,
      rotation: options.rotation,
      hardware: options.hardware,
      spawn,
      clock,
    }),
});
