import { codedError } from '../../errors.js';
import type { Activation } from '../graph.js';
import type { convolutionAttributes } from './attributes.js';

/** An operator under construction: later nodes are folded into it. */
export type Draft = InputDraft | ConvDraft | AddDraft;

export interface InputDraft {
  readonly kind: 'input';
  readonly channels: number;
  output: string;
}

export interface ConvDraft {
  readonly kind: 'conv';
  readonly input: Draft;
  readonly channels: number;
  readonly depthwise: boolean;
  readonly geometry: ReturnType<typeof convolutionAttributes>;
  /** [out, height, width, in], depthwise [height, width, out]; scaled in place. */
  readonly weights: Float32Array;
  readonly shape: readonly number[];
  bias: Float32Array | null;
  activation: Activation;
  /** Name of the last node that was folded in, which names the result. */
  output: string;
}

export interface AddDraft {
  readonly kind: 'add';
  readonly inputs: readonly [Draft, Draft];
  readonly channels: number;
  activation: Activation;
  output: string;
}

/** Multiplies a convolution's result: w·s, b·s. */
export function scaleOutput(conv: ConvDraft, scale: ArrayLike<number>): void {
  const { weights, channels, bias } = conv;
  const perChannel = weights.length / channels;
  for (let i = 0; i < weights.length; i++) {
    const channel = conv.depthwise ? i % channels : Math.floor(i / perChannel);
    weights[i] = (weights[i] ?? 0) * (scale[channel] ?? 0);
  }
  if (bias !== null) for (let c = 0; c < channels; c++) bias[c] = (bias[c] ?? 0) * (scale[c] ?? 0);
  requireFinite(conv, weights);
}

/** Adds to a convolution's result. */
export function shiftOutput(conv: ConvDraft, shift: ArrayLike<number>): void {
  conv.bias ??= new Float32Array(conv.channels);
  for (let c = 0; c < conv.channels; c++) conv.bias[c] = (conv.bias[c] ?? 0) + (shift[c] ?? 0);
  requireFinite(conv, conv.bias);
}

/**
 * Scale and shift of a batch norm at inference (Ioffe & Szegedy 2015, algorithm 2):
 * y = γ · (x − μ) / √(σ² + ε) + β.
 */
export function batchNormScaleShift(
  [gamma, beta, mean, variance]: readonly [Values, Values, Values, Values],
  epsilon: number,
): { scale: Float64Array; shift: Float64Array } {
  const scale = Float64Array.from(gamma, (value, c) => {
    return value / Math.sqrt((variance[c] ?? 0) + epsilon);
  });
  const shift = Float64Array.from(beta, (value, c) => value - (mean[c] ?? 0) * (scale[c] ?? 0));
  return { scale, shift };
}

type Values = Float32Array | Int32Array;

/** [height, width, in, out] → [out, height, width, in]. */
export function outputFirst(values: ArrayLike<number>, shape: readonly number[]): Float32Array {
  const out = shape[3] ?? 0;
  const rest = values.length / Math.max(out, 1);
  const result = new Float32Array(values.length);
  for (let i = 0; i < rest; i++) {
    for (let o = 0; o < out; o++) result[o * rest + i] = values[i * out + o] ?? 0;
  }
  return result;
}

function requireFinite(conv: ConvDraft, values: Float32Array): void {
  if (values.every((value) => Number.isFinite(value))) return;
  throw codedError('MND_MODEL_INVALID', {
    subject: `convolution ${JSON.stringify(conv.output.slice(0, 120))}`,
    expected: 'finite weights after folding its batch norm',
    found: 'NaN or infinity',
  });
}
