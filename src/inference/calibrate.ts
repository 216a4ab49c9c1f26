import type { Calibration } from '../convert/calibration.js';
import {
  type ChannelScales,
  equalizeGraph,
  POWER,
  POWER_BEHIND_RELU6,
  rescalableGroups,
} from '../convert/equalize.js';
import type { Graph } from '../convert/graph.js';
import { writeOnnx } from '../convert/onnx/write.js';
import { codedError } from '../errors.js';
import { ort, sessionOptions } from './runtime.js';

/** What a float network is shown: uint8 RGB [1, height, width, 3]. */
export interface CalibrationPicture {
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

/**
 * Part of the values that each end of a range leaves out: inside the network a finer step is worth
 * more than rare values; of the outputs, the rare values are what is looked for.
 */
const LEFT_OUT_INSIDE = 5e-5;

/**
 * Logits of a detector below −6 (a score of 0.25 %) are never looked at and above 8 (99.97 %) are
 * certain, so the 256 steps are spent in between.
 */
const LOGIT_RANGE = [-6, 8] as const;

/** Bins of a channel's magnitudes, from which its clip is chosen. */
const CLIP_BINS = 1024;

/** Steps of an activation. */
const STEPS = 255;

const BINS = 4096;

/** Least divisor's peak, so that a dead channel is not blown up. */
const LEAST_PEAK = 1e-3;

/**
 * Measures on pictures what quantizing a float graph needs to know: divisors that even out channels,
 * ranges of all results whose range no activation function fixes, and means of what convolutions read.
 *
 * @param scores outputs that are logits of a detector
 */
export async function measureCalibration(
  graph: Graph,
  pictures: readonly CalibrationPicture[],
  scores: ReadonlySet<string> = new Set(),
): Promise<Calibration> {
  const channelScales = await measureChannelScales(graph, pictures);
  const even = equalizeGraph(graph, channelScales);
  const results = even.operators.filter(({ kind }) => kind !== 'picture' && kind !== 'normalize');
  const ranged = results.map(({ output }) => output);
  const read = even.operators.flatMap((operator) =>
    operator.kind === 'conv' && even.tensors.get(operator.input)?.type === 'float32'
      ? [operator.input]
      : [],
  );
  const statistics = createStatistics();
  const names = [...new Set([...ranged, ...read])];
  await runGraph(even, names, pictures, statistics.bounds);
  await runGraph(even, names, pictures, statistics.count);
  const ranges = new Map(
    ranged.map((name) => {
      // A classifier's rare values are the sure answers; of a detector's, the outputs are.
      const leftOut = scores.size === 0 || even.outputs.includes(name) ? 0 : LEFT_OUT_INSIDE;
      const [low, high] = statistics.range(name, leftOut);
      const [least, most] = scores.has(name) ? LOGIT_RANGE : [low, high];
      return [name, [Math.max(low, least), Math.min(high, most)] as const];
    }),
  );
  const means = new Map(read.map((name) => [name, statistics.means(name)]));
  return { channelScales, ranges, means, realHead: graph.outputs.length === 1 };
}

/** Powers of each channel's greatest magnitude, relative to the geometric mean of its group or to its cap. */
async function measureChannelScales(
  graph: Graph,
  pictures: readonly CalibrationPicture[],
): Promise<ChannelScales> {
  const groups = rescalableGroups(graph);
  const caps = new Map(
    graph.operators.flatMap((operator) =>
      operator.kind === 'conv' && operator.activation === 'relu6'
        ? [[operator.output, 6] as const]
        : [],
    ),
  );
  const peaks = new Map<string, Float32Array>();
  await runGraph(graph, groups.flat(), pictures, (name, data, channels) => {
    const peak = peaks.get(name) ?? new Float32Array(channels);
    peaks.set(name, peak);
    for (let at = 0; at < data.length; at += 1) {
      const channel = at % channels;
      peak[channel] = Math.max(peak[channel] ?? 0, Math.abs(data[at] ?? 0));
    }
  });
  const capped = [...caps.keys()].filter((name) => peaks.has(name));
  const clips = await measureClips(graph, capped, pictures, peaks);
  return new Map(
    groups.map((group) => {
      const [first = ''] = group;
      const cap = caps.get(first);
      if (cap !== undefined) {
        const own = clips.get(first) ?? [];
        const shares = own.map((value) => Math.min(1, Math.max(LEAST_PEAK, value) / cap));
        return [first, shares.map((share) => share ** POWER_BEHIND_RELU6)];
      }
      const highest = Array.from(peaks.get(first) ?? [], (_, channel) =>
        Math.max(LEAST_PEAK, ...group.map((name) => peaks.get(name)?.[channel] ?? 0)),
      );
      const logarithm = highest.reduce((sum, value) => sum + Math.log(value), 0);
      const mean = Math.exp(logarithm / Math.max(1, highest.length));
      return [first, highest.map((value) => (value / mean) ** POWER)];
    }),
  );
}

/** Where each channel behind ReLU6 is best cut off: see {@link bestClip}. */
async function measureClips(
  graph: Graph,
  names: readonly string[],
  pictures: readonly CalibrationPicture[],
  peaks: ReadonlyMap<string, Float32Array>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const bins = new Map<string, Float64Array>();
  const factors = new Map(
    names.map((name) => {
      const own = peaks.get(name) ?? new Float32Array();
      return [name, Float64Array.from(own, (peak) => (CLIP_BINS - 1) / Math.max(peak, 1e-12))];
    }),
  );
  await runGraph(graph, names, pictures, (name, data, channels) => {
    const own = bins.get(name) ?? new Float64Array(channels * CLIP_BINS);
    bins.set(name, own);
    const factor = factors.get(name) ?? new Float64Array(channels);
    for (let at = 0; at < data.length; at += 1) {
      const channel = at % channels;
      const bin = channel * CLIP_BINS + Math.round((data[at] ?? 0) * (factor[channel] ?? 0));
      own[bin] = (own[bin] ?? 0) + 1;
    }
  });
  return new Map(
    [...bins].map(([name, counts]) => [
      name,
      Array.from(peaks.get(name) ?? [], (peak, channel) => {
        return peak * bestClip(counts.subarray(channel * CLIP_BINS, (channel + 1) * CLIP_BINS));
      }),
    ]),
  );
}

/**
 * The part of a channel's range at which the squared error of cutting off what lies above and of rounding
 * what lies below to {@link STEPS} steps is least. Zeros, which ReLU makes, are exact.
 *
 * @param counts of magnitudes, from 0 to the channel's peak
 */
export function bestClip(counts: Float64Array): number {
  const last = counts.length - 1;
  const total = counts.subarray(1).reduce((sum, value) => sum + value, 0);
  let best = 1;
  let least = Number.POSITIVE_INFINITY;
  // Of what lies above the clip, from the highest bin down.
  let [count, sum, squares] = [0, 0, 0];
  for (let at = last; at > 0; at -= 1) {
    const clip = at / last;
    const cut = squares - 2 * clip * sum + clip * clip * count;
    const rounding = ((total - count) * (clip / STEPS) ** 2) / 12;
    if (cut + rounding < least) {
      least = cut + rounding;
      best = clip;
    }
    const here = counts[at] ?? 0;
    count += here;
    sum += here * clip;
    squares += here * clip * clip;
  }
  return best;
}

type OnValues = (name: string, data: Float32Array, channels: number) => void;

/**
 * Whether results can be asked for by these names: onnxruntime ends them at a zero.
 *
 * @throws MND_MODEL_INVALID
 */
export function requireReadableNames(names: readonly string[]): void {
  const bad = names.find((name) => /\p{Cc}/u.test(name));
  if (bad === undefined) return;
  throw codedError('MND_MODEL_INVALID', {
    subject: 'model',
    expected: 'names of values without control characters',
    found: JSON.stringify(bad.slice(0, 80)),
  });
}

/** Runs a graph on every picture with some of its results laid open. */
async function runGraph(
  graph: Graph,
  names: readonly string[],
  pictures: readonly CalibrationPicture[],
  onValues: OnValues,
): Promise<void> {
  if (names.length === 0) return;
  requireReadableNames(names);
  const open = { ...graph, outputs: names };
  const session = await ort.InferenceSession.create(writeOnnx(open), sessionOptions(1, 'float32'));
  try {
    for (const { height, width, pixels } of pictures) {
      const picture = new ort.Tensor('uint8', pixels, [1, height, width, 3]);
      const results = await session.run({ [session.inputNames[0] ?? '']: picture });
      for (const name of names) {
        const result = results[name];
        if (result?.data instanceof Float32Array) {
          onValues(name, result.data, result.dims.at(-1) ?? 1);
        }
      }
    }
  } finally {
    await session.release();
  }
}

/** Bounds, histogram and channel means of named results, over two passes. */
function createStatistics() {
  const bounds = new Map<string, [number, number]>();
  const bins = new Map<string, Float64Array>();
  const sums = new Map<string, { readonly sum: Float64Array; count: number }>();
  return {
    bounds(name: string, data: Float32Array): void {
      const bound = bounds.get(name) ?? [0, 0];
      for (const value of data) {
        if (value < bound[0]) bound[0] = value;
        if (value > bound[1]) bound[1] = value;
      }
      bounds.set(name, bound);
    },
    count(name: string, data: Float32Array, channels: number): void {
      const [low, high] = bounds.get(name) ?? [0, 0];
      const bin = bins.get(name) ?? new Float64Array(BINS);
      const mean = sums.get(name) ?? { sum: new Float64Array(channels), count: 0 };
      bins.set(name, bin);
      sums.set(name, mean);
      const step = (BINS - 1) / Math.max(high - low, 1e-12);
      for (let at = 0; at < data.length; at += 1) {
        const value = data[at] ?? 0;
        const slot = Math.round((value - low) * step);
        bin[slot] = (bin[slot] ?? 0) + 1;
        mean.sum[at % channels] = (mean.sum[at % channels] ?? 0) + value;
      }
      mean.count += data.length / channels;
    },
    range(name: string, leftOut: number): readonly [number, number] {
      const [low, high] = bounds.get(name) ?? [0, 0];
      const bin = bins.get(name) ?? new Float64Array(BINS);
      const total = bin.reduce((sum, count) => sum + count, 0);
      const step = (high - low) / (BINS - 1);
      const skip = leftOut * total;
      let first = 0;
      for (let seen = bin[0] ?? 0; seen <= skip && first < BINS - 1; seen += bin[first] ?? 0)
        first += 1;
      let last = BINS - 1;
      for (let seen = bin[last] ?? 0; seen <= skip && last > 0; seen += bin[last] ?? 0) last -= 1;
      return leftOut === 0 || first > last ? [low, high] : [low + first * step, low + last * step];
    },
    means(name: string): readonly number[] {
      const { sum = new Float64Array(), count = 1 } = sums.get(name) ?? {};
      return Array.from(sum, (value) => value / Math.max(1, count));
    },
  };
}
