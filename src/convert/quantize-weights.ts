import type { ConvOperator, Tensor, TensorData } from './graph.js';
import { LARGEST_WEIGHT, roundKeepingSum, roundToNearest } from './round-weights.js';
import { constantOf } from './tensors.js';

export interface FloatConvolution {
  readonly operator: ConvOperator;
  readonly weights: Tensor;
  readonly bias: TensorData | null;
  /** Scale of the quantized input. */
  readonly inputScale: number;
  /** Added to every real input value that the quantized input cannot carry. */
  readonly inputOffset: number;
  /** Added to the bias of each output channel, real values; null for none. */
  readonly correction: readonly number[] | null;
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
  const { operator, inputScale, inputOffset, correction } = convolution;
  const source = constantOf(convolution.weights);
  const axis = operator.depthwise ? 2 : 0;
  const channels = convolution.weights.shape[axis] ?? 0;
  const stored = new Int8Array(source.length);
  const biases = new Int32Array(channels);
  const scales: number[] = [];
  let raisedChannels = 0;
  let largestError = 0;
  let largestWeight = 0;
  for (let channel = 0; channel < channels; channel++) {
    const { first, step, count } = tapsOf(operator, source.length, channels, channel);
    const weights = Float64Array.from({ length: count }, (_, i) => source[first + i * step] ?? 0);
    const largest = weights.reduce((peak, weight) => Math.max(peak, Math.abs(weight)), 0);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const bias =
      (convolution.bias?.[channel] ?? 0) + (correction?.[channel] ?? 0) + inputOffset * sum;
    const least = Math.abs(bias) / (inputScale * LARGEST_BIAS);
    if (largest / LARGEST_WEIGHT < least) raisedChannels++;
    const finest = Math.max(largest / LARGEST_WEIGHT, least);
    const round = operator.depthwise ? roundKeepingSum : roundToNearest;
    const { scale, stored: rounded } = round(weights, finest);
    rounded.forEach((value, i) => {
      stored[first + i * step] = value;
      largestError = Math.max(largestError, Math.abs((weights[i] ?? 0) - value * scale));
    });
    largestWeight = Math.max(largestWeight, largest);
    scales.push(scale);
    biases[channel] = clampBias(Math.round(bias / (inputScale * scale)));
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
    largestWeightError: largestWeight === 0 ? 0 : largestError / largestWeight,
  };
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

function clampBias(value: number): number {
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value));
}
