import type { ConvOperator, Tensor, TensorData } from './graph.js';
import {
  LARGEST_WEIGHT,
  peakOf,
  roundKeepingSum,
  roundWithinSpan,
  type WeightSpan,
} from './round-weights.js';
import { constantOf } from './tensors.js';

export interface FloatConvolution {
  readonly operator: ConvOperator;
  readonly weights: Tensor;
  readonly bias: TensorData | null;
  /** Scale of the quantized input. */
  readonly inputScale: number;
  /** Added to every real input value that the quantized input cannot carry. */
  readonly inputOffset: number;
  /** Mean of each input channel, real values; null: the mean error of rounding stays. */
  readonly means: readonly number[] | null;
  /** What the 127 steps span. */
  readonly span: WeightSpan;
}

export interface QuantizedConvolution {
  readonly weights: Tensor;
  readonly bias: Tensor;
  /** Output channels whose weight scale was raised so that the bias fits 32 bits. */
  readonly raisedChannels: number;
  /** As a share of the convolution's largest weight. */
  readonly largestWeightError: number;
}

/** Leaves a bit of the 32 for what the convolution adds. */
const LARGEST_BIAS = 2 ** 30;

/**
 * Quantizes weights per output channel (zero point 0) and the bias to int32 with the scale
 * input scale · weight scale.
 *
 * A dead channel has weights near 0 but a bias: its weight scale is kept so large that the bias
 * fits.
 */
export function quantizeConvolution(convolution: FloatConvolution): QuantizedConvolution {
  const { operator, inputScale, inputOffset, means, span } = convolution;
  const source = constantOf(convolution.weights);
  const axis = operator.depthwise ? 2 : 0;
  const channels = convolution.weights.shape[axis] ?? 0;
  const stored = new Int8Array(source.length);
  const biases = new Int32Array(channels);
  const scales: number[] = [];
  let raisedChannels = 0;
  let largestError = 0;
  let peak = 0;
  for (let channel = 0; channel < channels; channel++) {
    const { first, step, count } = tapsOf(operator, source.length, channels, channel);
    const weights = new Float64Array(count);
    for (let i = 0; i < count; i++) weights[i] = source[first + i * step] ?? 0;
    const rounded = quantizeChannel({
      weights,
      bias: (convolution.bias?.[channel] ?? 0) + inputOffset * sumOf(weights),
      inputScale,
      span,
      depthwise: operator.depthwise,
      meanOf: (i) => means?.[inputChannel(operator, means.length, channels, channel, i)] ?? 0,
    });
    for (let i = 0; i < count; i++) stored[first + i * step] = rounded.stored[i] ?? 0;
    if (rounded.raised) raisedChannels++;
    largestError = Math.max(largestError, rounded.largestError);
    peak = Math.max(peak, peakOf(weights, 'full'));
    scales.push(rounded.scale);
    biases[channel] = rounded.bias;
  }
  const zeroPoint = scales.map(() => 0);
  return {
    weights: {
      ...convolution.weights,
      type: 'int8',
      data: stored,
      quantization: { scale: scales, zeroPoint, axis },
    },
    bias: {
      name: operator.bias ?? `${operator.output}/bias`,
      type: 'int32',
      shape: [channels],
      data: biases,
      quantization: { scale: scales.map((scale) => scale * inputScale), zeroPoint, axis: 0 },
    },
    raisedChannels,
    largestWeightError: peak === 0 ? 0 : largestError / peak,
  };
}

/** Weights and bias of one output channel, real numbers. */
export interface FloatChannel {
  readonly weights: Float64Array;
  readonly bias: number;
  /** Scale of the quantized input. */
  readonly inputScale: number;
  readonly span: WeightSpan;
  readonly depthwise: boolean;
  /** Mean of what a weight is multiplied with; 0 leaves the mean error of rounding as it is. */
  readonly meanOf: (index: number) => number;
}

export interface QuantizedChannel {
  readonly scale: number;
  readonly stored: Int8Array;
  /** In steps of input scale · scale. */
  readonly bias: number;
  /** Whether the scale was raised so that the bias fits. */
  readonly raised: boolean;
  readonly largestError: number;
}

/** Rounds one output channel; what rounding does to the mean result goes into the bias. */
export function quantizeChannel(channel: FloatChannel): QuantizedChannel {
  const { weights, inputScale, span, depthwise, meanOf } = channel;
  const largest = peakOf(weights, span);
  const least = Math.abs(channel.bias) / (inputScale * LARGEST_BIAS);
  const finest = Math.max(largest / LARGEST_WEIGHT, least);
  const { scale, stored } = depthwise
    ? roundKeepingSum(weights, finest)
    : roundWithinSpan(weights, least, span);
  let lost = 0;
  let largestError = 0;
  for (let i = 0; i < stored.length; i++) {
    const error = (weights[i] ?? 0) - (stored[i] ?? 0) * scale;
    lost += error * meanOf(i);
    largestError = Math.max(largestError, Math.abs(error));
  }
  const bias = clampBias(Math.round((channel.bias + lost) / (inputScale * scale)));
  return { scale, stored, bias, raised: largest / LARGEST_WEIGHT < least, largestError };
}

function sumOf(values: Float64Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] ?? 0;
  return total;
}

/** Where one output channel's weights are. */
interface Taps {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** Weights are [out, height, width, in], depthwise [height, width, out]. */
function tapsOf(operator: ConvOperator, total: number, channels: number, channel: number): Taps {
  const count = total / channels;
  return operator.depthwise
    ? { first: channel, step: channels, count }
    : { first: channel * count, step: 1, count };
}

/** Which input channel the `index`-th weight of an output channel reads. */
function inputChannel(
  { depthwise }: ConvOperator,
  inputs: number,
  outputs: number,
  channel: number,
  index: number,
): number {
  return depthwise ? Math.floor((channel * inputs) / outputs) : index % inputs;
}

function clampBias(value: number): number {
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value));
}
