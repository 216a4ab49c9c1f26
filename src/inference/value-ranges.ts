import type { ChannelRanges } from '../convert/onnx-integers/stored-scales.js';
import { type CalibrationPicture, requireReadableNames } from './calibrate.js';
import { ort, sessionOptions } from './runtime.js';

/** Part of a channel's values that each end of its range leaves out: a finer step is worth more. */
const LEFT_OUT = 5e-5;

const BINS = 512;

interface Channels {
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly sum: Float64Array;
  readonly bins: Uint32Array;
  /** Values of one channel. */
  count: number;
}

/**
 * Runs a network on pictures and says of some of its outputs what each channel was: the second dimension is
 * the channel.
 *
 * @param onnx has a picture as its only input, uint8 RGB [1, height, width, 3]
 */
export async function measureRanges(
  onnx: Uint8Array,
  names: readonly string[],
  pictures: readonly CalibrationPicture[],
): Promise<ReadonlyMap<string, ChannelRanges>> {
  requireReadableNames(names);
  const session = await ort.InferenceSession.create(onnx, sessionOptions(1, 'float32'));
  const known = new Map<string, Channels>();
  const run = async (visit: (values: Float32Array, area: number, own: Channels) => void) => {
    for (const { height, width, pixels } of pictures) {
      const picture = new ort.Tensor('uint8', pixels, [1, height, width, 3]);
      const results = await session.run({ [session.inputNames[0] ?? '']: picture });
      for (const name of names) {
        const { data, dims = [] } = results[name] ?? {};
        if (!(data instanceof Float32Array)) continue;
        const channels = dims[1] ?? 1;
        const own = known.get(name) ?? emptyChannels(channels);
        known.set(name, own);
        visit(data, data.length / channels, own);
      }
    }
  };
  try {
    await run(findBounds);
    await run(countValues);
  } finally {
    await session.release();
  }
  return new Map([...known].map(([name, channels]) => [name, rangesOf(channels)]));
}

function emptyChannels(count: number): Channels {
  return {
    low: new Float64Array(count),
    high: new Float64Array(count),
    sum: new Float64Array(count),
    bins: new Uint32Array(count * BINS),
    count: 0,
  };
}

function findBounds(values: Float32Array, area: number, { low, high }: Channels): void {
  for (let channel = 0, at = 0; channel < low.length; channel += 1) {
    let [least, most] = [low[channel] ?? 0, high[channel] ?? 0];
    for (const end = at + area; at < end; at += 1) {
      const value = values[at] ?? 0;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    low[channel] = least;
    high[channel] = most;
  }
}

function countValues(values: Float32Array, area: number, channels: Channels): void {
  const { low, high, sum, bins } = channels;
  for (let channel = 0, at = 0; channel < low.length; channel += 1) {
    const least = low[channel] ?? 0;
    const factor = (BINS - 1) / Math.max((high[channel] ?? 0) - least, 1e-12);
    let total = 0;
    for (const end = at + area; at < end; at += 1) {
      const value = values[at] ?? 0;
      const bin = channel * BINS + Math.round((value - least) * factor);
      bins[bin] = (bins[bin] ?? 0) + 1;
      total += value;
    }
    sum[channel] = (sum[channel] ?? 0) + total;
  }
  channels.count += area;
}

function rangesOf({ low, high, sum, bins, count }: Channels): ChannelRanges {
  const skip = LEFT_OUT * count;
  const ends = Array.from(low, (least, channel) => {
    const own = bins.subarray(channel * BINS, (channel + 1) * BINS);
    const step = ((high[channel] ?? 0) - least) / (BINS - 1);
    let [first, last] = [0, BINS - 1];
    for (let seen = own[first] ?? 0; seen <= skip && first < last; seen += own[first] ?? 0)
      first += 1;
    for (let seen = own[last] ?? 0; seen <= skip && last > first; seen += own[last] ?? 0) last -= 1;
    return [Math.min(0, least + first * step), Math.max(0, least + last * step)] as const;
  });
  return {
    low: ends.map(([least]) => least),
    high: ends.map(([, most]) => most),
    mean: Array.from(sum, (total) => total / Math.max(1, count)),
  };
}
