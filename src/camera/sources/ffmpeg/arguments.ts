import { codedError } from '../../../errors.js';
import type { Rotation, SourceFault } from '../description.js';
import { sizeFaults } from '../picture-size.js';
import { type FfmpegInput, type HardwareDecoding, inputArguments, oneOf } from './input.js';

export interface FfmpegPicture {
  /**
   * Width and height of the frames, pixels, even. The picture keeps its shape: one of another shape
   * gets black bars.
   */
  readonly size: readonly [width: number, height: number];
  /** Frames a second, over 0, up to 120. */
  readonly fps: number;
  /** Clockwise, degrees; default 0. */
  readonly rotation?: Rotation;
  /** Default `none`. */
  readonly hardware?: HardwareDecoding;
}

const ROTATIONS: Readonly<Record<Rotation, string>> = {
  0: '',
  90: 'transpose=clock,',
  180: 'hflip,vflip,',
  270: 'transpose=cclock,',
};

const HARDWARE: Readonly<Record<HardwareDecoding, readonly string[]>> = {
  none: [],
  auto: ['-hwaccel', 'auto'],
  drm: ['-hwaccel', 'drm'],
  v4l2m2m: ['-c:v', 'h264_v4l2m2m'],
  vaapi: ['-hwaccel', 'vaapi'],
};

/**
 * Arguments that make ffmpeg write YUV4MPEG2, 4:2:0, full range, BT.601, to stdout. Every value is
 * a checked number, one of a fixed set, or an input that cannot be taken for an option. Throws
 * MND_CONFIG_INVALID.
 */
export function ffmpegArguments(input: FfmpegInput, picture: FfmpegPicture): string[] {
  const { width, height, fps } = checkedPicture(picture);
  const scale = [
    `scale=${width}:${height}`,
    'force_original_aspect_ratio=decrease',
    'force_divisible_by=2',
    'flags=bilinear+accurate_rnd',
    'out_range=full',
    'out_color_matrix=bt601',
  ].join(':');
  const pad = `pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2`;
  const rotate = oneOf(ROTATIONS, picture.rotation ?? 0, 'rotation');
  return [
    ...['-nostdin', '-hide_banner', '-v', 'error'],
    ...oneOf(HARDWARE, picture.hardware ?? 'none', 'hardware'),
    ...inputArguments(input, width, height, fps),
    ...['-an', '-sn', '-dn', '-map', '0:v:0'],
    // The format right behind the scaler: else ffmpeg may convert once more, to limited range.
    ...['-vf', `${selection(input, fps)},${rotate}${scale},format=yuv420p,${pad}`],
    // A frame in, a frame out: nothing is repeated to fill a gap between time stamps.
    ...['-fps_mode', 'passthrough'],
    ...['-f', 'yuv4mpegpipe', '-'],
  ];
}

/** Frames that a live stream may have at once after a pause, in seconds of the rate. */
const BURST_S = 0.25;

/**
 * A filter that lets min(real rate, fps) frames a second pass and makes none: a bucket that fills at
 * `fps` by the time stamps (ld(0): frames that may pass, ld(1): the last stamp). It holds two frames of
 * a file, whose stamps are exact, and a quarter of a second of a live stream, whose frames are stamped
 * as they arrive. Stamps that step back or far ahead let one frame pass, as any other.
 */
function selection({ kind }: FfmpegInput, fps: number): string {
  const isFile = kind === 'video' || kind === 'remote';
  const capacity = isFile ? 2 : Math.max(2, 1 + BURST_S * fps);
  const filled = `min(${capacity},ld(0)+max(0,t-ld(1))*${fps})`;
  const fill = `st(0,if(eq(n,0),1,${filled}));st(1,t)`;
  return `select='${fill};if(gte(ld(0),0.999),st(0,ld(0)-1)*0+1,0)'`;
}

function checkedPicture(picture: FfmpegPicture): { width: number; height: number; fps: number } {
  const [width, height] = picture.size;
  const [fault] = pictureFaults(picture);
  if (fault !== undefined) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: fault.key,
      expected: fault.expected,
      found: `${width}×${height}`,
    });
  }
  if (!(picture.fps > 0 && picture.fps <= 120)) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: 'fps',
      expected: 'over 0, up to 120',
      found: String(picture.fps),
    });
  }
  // Four decimals: a plain number, never 1e-7, within ffmpeg's rational precision.
  return { width, height, fps: Math.max(0.0001, Math.round(picture.fps * 10_000) / 10_000) };
}

const LEAST_SIDE = 16;

export function pictureFaults({ size }: Pick<FfmpegPicture, 'size'>): readonly SourceFault[] {
  return sizeFaults(size, LEAST_SIDE);
}
