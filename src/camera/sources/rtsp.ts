import { oneOf } from '../../schema/format.js';
import { key } from '../../schema/section.js';
import { describeSource } from './description.js';
import { FFMPEG_DESCRIPTION } from './ffmpeg/description.js';
import { createFfmpegSource } from './ffmpeg/source.js';
import { HARDWARE_KEY, LOGIN_KEYS, NETWORK_ADVICE, URL_KEY } from './keys.js';

export const RTSP = describeSource({
  ...FFMPEG_DESCRIPTION,
  summary: 'a network camera',
  keys: {
    url: URL_KEY,
    ...LOGIN_KEYS,
    hardware: HARDWARE_KEY,
    transport: key(oneOf('tcp', 'udp'), 'tcp', 'How an rtsp camera sends.'),
  },
  needs: ['url'],
  schemes: ['rtsp', 'rtsps'],
  devices: null,
  advice: NETWORK_ADVICE,
  missing: null,
  create: (options, { spawn, clock }) =>
    createFfmpegSource({
      input: {
        kind: 'rtsp',
        url: options.url ?? '',
        username: options.username,
        password: options.password,
        transport: options.transport,
      },
      size: options.size,
      fps: options.fps,
      rotation: options.rotation,
      hardware: options.hardware,
      spawn,
      clock,
    }),
});
