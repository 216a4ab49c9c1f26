import { codedError } from '../errors.js';
import type { Clock, FrameRate } from './clock.js';
import { createDemoSource } from './demo/source.js';
import type { FfmpegInput, HardwareDecoding, Rotation } from './ffmpeg/arguments.js';
import { createFfmpegSource } from './ffmpeg/source.js';
import { createFilesSource } from './files.js';
import type { LibcameraControls } from './libcamera/controls.js';
import { createStillSource } from './libcamera/still.js';
import { createLibcameraStream } from './libcamera/stream.js';
import { createMask, type Polygon, withMask } from './mask.js';
import type { SpawnChild } from './process.js';
import type { Source } from './source.js';
import { createWatchSource } from './watch.js';

export type SourceKind =
  | 'libcamera'
  | 'still'
  | 'v4l2'
  | 'rtsp'
  | 'mjpeg'
  | 'video'
  | 'files'
  | 'watch'
  | 'demo';

/** A camera as it is configured; what a kind does not use is ignored. */
export interface SourceOptions {
  readonly source: SourceKind;
  /** v4l2: a device such as `/dev/video0`. */
  readonly device: string | null;
  /** rtsp, mjpeg, video: an address. */
  readonly url: string | null;
  /** video: a file; files: a picture or a folder of them; watch: a folder or a file that changes. */
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
  /** Areas that are blacked out before anything else sees a frame, pixels of `size`. */
  readonly mask?: readonly Polygon[];
  /** Settings of a libcamera camera (libcamera, still). */
  readonly controls?: LibcameraControls;
}

/** What the sources take from their surroundings. */
export interface SourceSurroundings {
  readonly clock?: Clock;
  readonly wallTime?: () => number;
  readonly spawn?: SpawnChild;
  /** Frames a second now, at most the configured rate; ffmpeg and libcamera streams keep their own. */
  readonly rate?: () => number;
}

/** Makes the source a camera is configured with, its mask applied. Throws MND_CONFIG_INVALID. */
export function createSource(
  options: SourceOptions,
  surroundings: SourceSurroundings = {},
): Source {
  const source = createBareSource(options, surroundings);
  const { mask = [], size } = options;
  return mask.length === 0 ? source : withMask(source, createMask(mask, size));
}

function createBareSource(options: SourceOptions, surroundings: SourceSurroundings): Source {
  const { clock, wallTime, spawn } = surroundings;
  const fps: FrameRate = surroundings.rate ?? options.fps;
  switch (options.source) {
    case 'demo':
      return createDemoSource({ fps, clock, wallTime });
    case 'files':
      return createFilesSource({ paths: [given(options, 'path')], fps, loop: options.loop, clock });
    case 'watch':
      return createWatchSource({ path: given(options, 'path'), fps, clock });
    case 'still':
      return createStillSource({ ...options, path: undefined, fps, clock });
    case 'libcamera':
      return createLibcameraStream({ ...options, path: undefined, spawn, clock });
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

/**
 * Seconds without a frame after which a source of this kind has stalled: `wanted`, but at least three
 * times the interval of its frames; null for a watched folder, whose pictures come when they come.
 */
export function stallTimeoutOf(
  { source, fps }: Pick<SourceOptions, 'source' | 'fps'>,
  wanted: number,
): number | null {
  if (source === 'watch') return null;
  return Math.max(wanted, 3 / fps, source === 'still' ? MIN_STILL_STALL : 0);
}

/** A still may take its deadline, and the end of the program after it. */
const MIN_STILL_STALL = 40;
