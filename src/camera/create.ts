import { codedError } from '../errors.js';
import type { Clock, FrameRate } from './clock.js';
import { createDemoSource } from './demo/source.js';
import type { FfmpegInput, HardwareDecoding, Rotation } from './ffmpeg/arguments.js';
import { createFfmpegSource } from './ffmpeg/source.js';
import { createFilesSource } from './files.js';
import type { SpawnChild } from './process.js';
import type { Source } from './source.js';

export type SourceKind = 'v4l2' | 'rtsp' | 'mjpeg' | 'video' | 'files' | 'demo';

/** A camera as it is configured; what a kind does not use is ignored. */
export interface SourceOptions {
  readonly source: SourceKind;
  /** v4l2: a device such as `/dev/video0`. */
  readonly device: string | null;
  /** rtsp, mjpeg, video: an address. */
  readonly url: string | null;
  /** video: a file; files: a picture or a folder of pictures. */
  readonly path: string | null;
  /** video, files: begin again at the end. */
  readonly loop: boolean;
  /** Width and height of the frames, pixels; pictures from files and the demo keep their own. */
  readonly size: readonly [width: number, height: number];
  /** Frames a second. */
  readonly fps: number;
  /** Clockwise, degrees. */
  readonly rotation: Rotation;
  /** Decoding in hardware (rtsp, mjpeg, video, v4l2); default `none`. */
  readonly hardware?: HardwareDecoding;
}

/** What the sources take from their surroundings. */
export interface SourceSurroundings {
  readonly clock?: Clock;
  readonly wallTime?: () => number;
  readonly spawn?: SpawnChild;
  /** Frames a second now, at most the configured rate; followed by files and the demo. */
  readonly rate?: () => number;
}

/** Makes the source a camera is configured with. Throws MND_CONFIG_INVALID. */
export function createSource(
  options: SourceOptions,
  surroundings: SourceSurroundings = {},
): Source {
  const { clock, wallTime, spawn } = surroundings;
  const fps: FrameRate = surroundings.rate ?? options.fps;
  switch (options.source) {
    case 'demo':
      return createDemoSource({ fps, clock, wallTime });
    case 'files':
      return createFilesSource({ paths: [given(options, 'path')], fps, loop: options.loop, clock });
    default:
      return createFfmpegSource({ ...options, input: ffmpegInput(options), spawn, clock });
  }
}

function ffmpegInput(options: SourceOptions): FfmpegInput {
  const { loop } = options;
  switch (options.source) {
    case 'v4l2':
      return { kind: 'v4l2', device: given(options, 'device') };
    case 'rtsp':
    case 'mjpeg':
      return { kind: options.source, url: given(options, 'url') };
    default:
      if (options.url === null) return { kind: 'video', path: given(options, 'path'), loop };
      if (/^rtsps?:/i.test(options.url)) return { kind: 'rtsp', url: options.url };
      return { kind: 'remote', url: options.url, loop };
  }
}

function given(options: SourceOptions, key: 'device' | 'url' | 'path'): string {
  const value = options[key];
  if (value !== null && value !== '') return value;
  throw codedError('MND_CONFIG_INVALID', {
    subject: `source ${options.source}`,
    expected: `a ${key}`,
    found: 'none',
  });
}
