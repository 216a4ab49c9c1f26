import { codedError, isCodedError } from '../errors.js';

/** real = scale · (pixel − mean); one number, or one for each of red, green and blue. */
export interface ChannelScaling {
  readonly mean: readonly number[];
  readonly scale: readonly number[];
}

/** What is known of the picture that a network takes, beside what its file says. */
export interface PictureOptions {
  /** How pixels become the real numbers that the network was trained on; null if nobody said. */
  readonly scaling: ChannelScaling | null;
  /** Whether blue comes first. */
  readonly reversed: boolean;
  /** Side of the picture, pixels, for a network that takes any; null if nobody said. */
  readonly size: number | null;
  /** The program that made the file, by its name or what lies beside it; null if not known. */
  readonly maker: Maker | null;
}

/** Programs whose networks take pictures in one known way. */
export type Maker = 'teachable-machine' | 'edge-impulse';

export const NO_PICTURE_OPTIONS: PictureOptions = {
  scaling: null,
  reversed: false,
  size: null,
  maker: null,
};

export const SIGNED_UNIT: ChannelScaling = { mean: [127.5], scale: [1 / 127.5] };
export const UNIT: ChannelScaling = { mean: [0], scale: [1 / 255] };
export const BYTES: ChannelScaling = { mean: [0], scale: [1] };

/** Ranges of real numbers that say by themselves how they come from pixels. */
const NOMINAL = [
  { low: 0, high: 1, scaling: UNIT },
  { low: -1, high: 1, scaling: SIGNED_UNIT },
  { low: 0, high: 255, scaling: BYTES },
] as const;

/** Share of its width by which each end of a range may miss the nominal one. */
const RANGE_TOLERANCE = 0.05;

/** The scaling of a quantized picture whose bytes stand for [0, 1], [−1, 1] or [0, 255]; else null. */
export function nominalScaling(low: number, high: number): ChannelScaling | null {
  const near = (found: number, wanted: number, width: number) =>
    Math.abs(found - wanted) <= RANGE_TOLERANCE * width;
  const nominal = NOMINAL.find(
    (range) =>
      near(low, range.low, range.high - range.low) &&
      near(high, range.high, range.high - range.low),
  );
  return nominal?.scaling ?? null;
}

/** How the pictures of each maker's networks are scaled. */
export const MAKER_SCALINGS: Readonly<Record<Maker, ChannelScaling>> = {
  'teachable-machine': SIGNED_UNIT,
  'edge-impulse': UNIT,
};

/** Widths of what a network works on behind its own rescaling. */
const WORKING_WIDTHS = [0.8, 12] as const;

/**
 * What the numbers of a picture are that a network begins by multiplying (Keras' Rescaling and
 * Normalization layers): pixels if that makes a working range of 0 to 255, [0, 1] if it does of 0 to 1;
 * null if neither.
 */
export function scalingBefore(factor: number): ChannelScaling | null {
  const works = (width: number) => width >= WORKING_WIDTHS[0] && width <= WORKING_WIDTHS[1];
  if (works(255 * factor)) return BYTES;
  return works(factor) ? UNIT : null;
}

/** What the first steps of a network make of a picture's numbers: factor · number + shift, a channel. */
export interface Front {
  readonly factor: readonly number[];
  readonly shift: readonly number[];
}

/** One scaling for two: factor · (scale · (pixel − mean)) + shift. */
export function together(
  { mean, scale }: ChannelScaling,
  { factor, shift }: Front,
): ChannelScaling {
  if (factor.every((value) => value === 1) && shift.every((value) => value === 0)) {
    return { mean, scale };
  }
  const scales = factor.map((value, channel) => value * perChannel(scale, channel));
  const means = scales.map(
    (value, channel) => perChannel(mean, channel) - (shift[channel] ?? 0) / value,
  );
  const alike = (numbers: readonly number[]) => numbers.every((value) => value === numbers[0]);
  // One scaling for all channels is one step of a quantized picture.
  if (!alike(scales) || !alike(means)) return { scale: scales, mean: means };
  return { scale: scales.slice(0, 1), mean: means.slice(0, 1) };
}

/** Numbers are given for red, green and blue; a network with blue first has them the other way round. */
export function inOrder({ mean, scale }: ChannelScaling, reversed: boolean): ChannelScaling {
  return reversed ? { mean: mean.toReversed(), scale: scale.toReversed() } : { mean, scale };
}

/** The numbers of each channel. */
export function perChannel(values: readonly number[], channel: number): number {
  return values[values.length === 1 ? 0 : channel] ?? 0;
}

/** Widths of the ranges that networks are trained on: around one, or whole bytes. */
const WIDTHS = [
  [0.4, 20],
  [200, 300],
] as const;

/**
 * Refuses numbers that make no picture: none, of the wrong count, a scale of 0 or below, a mean outside
 * of the bytes, a range that no network is trained on (as when a mean of 0.485 meets a scale of 0.229,
 * which are shares of 255 and a divisor).
 *
 * @param channels of the network's picture
 * @throws MND_USAGE
 */
export function checkScaling({ mean, scale }: ChannelScaling, channels: 1 | 3): void {
  const fits = (numbers: readonly number[]) => numbers.length === 1 || numbers.length === channels;
  if (!fits(mean) || !fits(scale)) {
    throw nonsense(
      channels === 1 ? 'one number each' : 'one number, or one for each of R, G and B',
      `${mean.length} and ${scale.length}`,
    );
  }
  const bad = scale.find((value) => !(value > 0 && Number.isFinite(value)));
  if (bad !== undefined) throw nonsense('a scale above 0', `${bad}`);
  for (let channel = 0; channel < channels; channel += 1) {
    const [m, s] = [perChannel(mean, channel), perChannel(scale, channel)];
    const width = 255 * s;
    // Between 0 and 1 it is a share of 255, as PyTorch has it.
    if (!(m === 0 || (m >= 1 && m <= 256))) throw nonsense('a mean in pixels, 0 to 255', `${m}`);
    if (WIDTHS.some(([least, most]) => width >= least && width <= most)) continue;
    const range = `[${short(-m * s)}, ${short((255 - m) * s)}]`;
    throw nonsense('numbers of a range like [0, 1], [−1, 1], [−2.2, 2.6] or [0, 255]', range);
  }
}

/**
 * The scaling that a file's metadata gives, in pixels or, as PyTorch has it, in shares of 255. Null for
 * numbers that make no picture either way.
 */
export function writtenScaling(
  mean: readonly number[],
  scale: readonly number[],
  channels: 1 | 3,
): ChannelScaling | null {
  const pixels = { mean, scale };
  if (isSane(pixels, channels)) return pixels;
  const shares = { mean: mean.map((m) => 255 * m), scale: scale.map((s) => s / 255) };
  return isSane(shares, channels) ? shares : null;
}

/** Whether numbers make a picture: see {@link checkScaling}. */
function isSane(scaling: ChannelScaling, channels: 1 | 3): boolean {
  try {
    checkScaling(scaling, channels);
    return true;
  } catch (error) {
    if (isCodedError(error)) return false;
    throw error;
  }
}

function short(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

function nonsense(expected: string, found: string): Error {
  return codedError('MND_USAGE', {
    subject: '--mean and --scale',
    expected,
    found,
    next: 'number = scale × (pixel − mean), pixels from 0 to 255: PyTorch’s mean 0.485, std 0.229 are --mean 123.675 --scale 0.01712',
  });
}

/** Asks how pixels become a network's numbers, because nothing says it. */
export function askForScaling(subject: string, found: string): Error {
  return codedError('MND_MODEL_QUESTION', {
    subject,
    expected: 'how its numbers come from pixels: number = scale × (pixel − mean)',
    found,
    next: 'give --mean and --scale as in its training: --mean 127.5 --scale 0.00784 for [−1, 1], --mean 0 --scale 0.00392 for [0, 1], --mean 0 --scale 1 for [0, 255], --mean 123.675,116.28,103.53 --scale 0.01712,0.01751,0.01743 for PyTorch',
  });
}

/** real = quantization.scale · (stored − quantization.zeroPoint) */
export interface StoredPicture {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Share of the stored range that a picture must use, and of the pixels that may lie beyond it. */
const LEAST_USED = 0.1;
const MOST_BEYOND = 0.25;

/**
 * Refuses a scaling that the stored numbers of a quantized picture contradict.
 *
 * @throws MND_USAGE
 */
export function requireStorable(scaling: ChannelScaling, stored: StoredPicture): void {
  const [found] = contradictions(scaling, stored);
  if (found === undefined) return;
  const { scale: step, zeroPoint } = stored;
  throw codedError('MND_USAGE', {
    subject: '--mean and --scale',
    expected: `numbers that the file stores, ${short(-zeroPoint * step)} to ${short((255 - zeroPoint) * step)}`,
    found: `${short(found[0])} to ${short(found[1])}`,
    next: 'leave them out, or give those of its training',
  });
}

/** Whether the stored numbers of a quantized picture do not contradict a scaling. */
export function isStorable(scaling: ChannelScaling, stored: StoredPicture): boolean {
  return contradictions(scaling, stored).length === 0;
}

/** Ranges of the channels whose pixels the stored numbers have no room for, or which use next to none of it. */
function contradictions(
  { mean, scale }: ChannelScaling,
  { scale: step, zeroPoint }: StoredPicture,
): (readonly [least: number, most: number])[] {
  const [low, high] = [-zeroPoint * step, (255 - zeroPoint) * step];
  const ranges: (readonly [number, number])[] = [];
  for (let channel = 0; channel < Math.max(mean.length, scale.length); channel += 1) {
    const [m, s] = [perChannel(mean, channel), perChannel(scale, channel)];
    const [least, most] = [-m * s, (255 - m) * s];
    const beyond = Math.max(0, low - least) + Math.max(0, most - high);
    const used = Math.min(most, high) - Math.max(least, low);
    if (beyond <= MOST_BEYOND * (most - least) && used >= LEAST_USED * (high - low)) continue;
    ranges.push([least, most]);
  }
  return ranges;
}

/**
 * What each pixel value is stored as, 256 entries for each channel in turn (or for all at once). Null
 * where a pixel is stored as itself: differences of one step are those between 127.5 and 128 as the
 * middle, which converters do not agree about.
 */
export function storedTable(
  { mean, scale }: ChannelScaling,
  { scale: step, zeroPoint }: StoredPicture,
): Uint8Array | null {
  const channels = Math.max(mean.length, scale.length);
  const table = new Uint8Array(256 * channels);
  let furthest = 0;
  for (let at = 0; at < table.length; at += 1) {
    const pixel = at % 256;
    const channel = Math.floor(at / 256);
    const real = perChannel(scale, channel) * (pixel - perChannel(mean, channel));
    const stored = Math.min(255, Math.max(0, Math.round(real / step) + zeroPoint));
    table[at] = stored;
    furthest = Math.max(furthest, Math.abs(stored - pixel));
  }
  return furthest <= 1 ? null : table;
}
