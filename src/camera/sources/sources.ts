import { codedError } from '../../errors.js';
import type { Clock } from '../../time.js';
import type { SpawnChild } from '../child/process.js';
import type { FrameRate } from '../pacer.js';
import { createMaskStep, type Polygon } from '../pixels/blackout.js';
import { type PixelStep, withPixels } from '../pixels/pixels.js';
import { createRotation } from '../pixels/rotate.js';
import type { Source } from '../source.js';
import { createDemoSource } from './demo/source.js';
import type {
  FfmpegInput,
  HardwareDecoding,
  Rotation,
  RtspTransport,
  V4l2Format,
} from './ffmpeg/arguments.js';
import { createFfmpegSource } from './ffmpeg/source.js';
import { createFilesSource } from './files.js';
import type { LibcameraControls } from './libcamera/controls.js';
import { createStillSource } from './libcamera/still.js';
import { createLibcameraStream } from './libcamera/stream.js';
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
  /** libcamera: `still` takes single pictures; `auto` is a stream until it is told otherwise. */
  readonly capture?: 'stream' | 'still' | 'auto';
  /** Seconds from one still to the next; default: as often as `fps` says. */
  readonly still_interval?: number;
  /** Decoding in hardware (rtsp, mjpeg, video, v4l2); default `none`. */
  readonly hardware?: HardwareDecoding;
  /** rtsp; default `tcp`. */
  readonly transport?: RtspTransport;
  /** v4l2; default `auto`. */
  readonly input_format?: V4l2Format;
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
  /** Where libcamera's programs are looked for; default: the PATH. */
  readonly path?: string;
  /** Frames a second now, at most the configured rate; ffmpeg and libcamera streams keep their own. */
  readonly rate?: () => number;
}

/**
 * Makes the source a camera is configured with; its pictures are turned and masked. Throws
 * MND_CONFIG_INVALID.
 */
export function createSource(
  options: SourceOptions,
  surroundings: SourceSurroundings = {},
): Source {
  const turn = ownTurn(options);
  const [width, height] = options.size;
  // `size` is that of the finished picture.
  const size = turn === 90 || turn === 270 ? ([height, width] as const) : options.size;
  const bare = turn === 0 ? options : { ...options, rotation: 0 as const, size };
  return withPixels(createBareSource(bare, surroundings), pixelSteps(options, turn));
}

/** What is done to the pixels of each frame, in this order. */
export function pixelSteps(
  { mask = [], size }: Pick<SourceOptions, 'mask' | 'size'>,
  turn: Rotation,
): PixelStep[] {
  const steps: PixelStep[] = turn === 0 ? [] : [createRotation(turn)];
  if (mask.length > 0) steps.push(createMaskStep(mask, size));
  return steps;
}

/** The part of the rotation that is left to us: libcamera turns by 180 degrees only, ffmpeg by all. */
export function ownTurn({
  source,
  rotation,
}: Pick<SourceOptions, 'source' | 'rotation'>): Rotation {
  if (source === 'libcamera' || source === 'still') return rotation === 180 ? 0 : rotation;
  const isPicture = source === 'files' || source === 'watch' || source === 'demo';
  return isPicture ? rotation : 0;
}

/** Whether the camera takes single pictures, with the camera off in between. */
export function isStill({ source, capture }: Pick<SourceOptions, 'source' | 'capture'>): boolean {
  return source === 'still' || (source === 'libcamera' && capture === 'still');
}

/** Frames a second that a camera of these options can be expected to deliver. */
export function rateOf(
  options: Pick<SourceOptions, 'source' | 'capture' | 'fps' | 'still_interval'>,
): number {
  const { fps, still_interval: interval } = options;
  return isStill(options) && interval !== undefined ? Math.min(fps, 1 / interval) : fps;
}

function createBareSource(options: SourceOptions, surroundings: SourceSurroundings): Source {
  const { clock, wallTime, spawn, path } = surroundings;
  const rate = rateOf(options);
  const fps: FrameRate =
    surroundings.rate === undefined ? rate : () => Math.min(rate, surroundings.rate?.() ?? rate);
  if (isStill(options)) return createStillSource({ ...options, path, fps, clock });
  switch (options.source) {
    case 'demo':
      return createDemoSource({ fps, clock, wallTime });
    case 'files':
      return createFilesSource({ paths: [given(options, 'path')], fps, loop: options.loop, clock });
    case 'watch':
      return createWatchSource({ path: given(options, 'path'), fps, clock });
    case 'libcamera':
      return createLibcameraStream({ ...options, path, spawn, clock });
    default:
      return createFfmpegSource({ ...options, input: ffmpegInput(options), spawn, clock });
  }
}

function ffmpegInput(options: SourceOptions): FfmpegInput {
  const { loop } = options;
  switch (options.source) {
    case 'v4l2':
      return {
        kind: 'v4l2',
        device: given(options, 'device'),
        inputFormat: options.input_format,
      };
    case 'rtsp':
      return { kind: 'rtsp', url: given(options, 'url'), transport: options.transport };
    case 'mjpeg':
      return { kind: 'mjpeg', url: given(options, 'url') };
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
  options: Pick<SourceOptions, 'source' | 'capture' | 'fps' | 'still_interval'>,
  wanted: number,
): number | null {
  if (options.source === 'watch') return null;
  return Math.max(wanted, 3 / rateOf(options), isStill(options) ? MIN_STILL_STALL : 0);
}

/** A still may take its deadline, and the end of the program after it. */
const MIN_STILL_STALL = 40;
