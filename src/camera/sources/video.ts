import { describeSource } from './description.js';
import { FFMPEG_DESCRIPTION } from './ffmpeg/description.js';
import type { FfmpegInput } from './ffmpeg/input.js';
import { createFfmpegSource } from './ffmpeg/source.js';
import { HARDWARE_KEY, HTTP_KEYS, LOOP_KEY, PATH_ADVICE, PATH_KEY } from './keys.js';

export const VIDEO = describeSource({
  ...FFMPEG_DESCRIPTION,
  summary: 'a file or an address that is played at its own speed',
  keys: {
    path: PATH_KEY,
    ...HTTP_KEYS,
    loop: LOOP_KEY,
    hardware: HARDWARE_KEY,
  },
  needs: ['path', 'url'],
  schemes: ['http', 'https', 'rtsp', 'rtsps'],
  devices: null,
  advice: null,
  missing: PATH_ADVICE,
  create: (options, { spawn, clock }) =>
    createFfmpegSource({
      input: inputOf(options),
      size: options.size,
      fps: options.fps,
      rotation: options.rotation,
      hardware: options.hardware,
      spawn,
      clock,
    }),
});

function inputOf(options: {
  readonly path: string | null;
  readonly url: string | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly verify: boolean;
  readonly loop: boolean;
}): FfmpegInput {
  const { path, url, username, password, verify, loop } = options;
  if (url === null) return { kind: 'video', path: path ?? '', loop };
  return /^rtsps?:/i.test(url)
    ? { kind: 'rtsp', url, username, password }
    : { kind: 'remote', url, username, password, verify, loop };
}
