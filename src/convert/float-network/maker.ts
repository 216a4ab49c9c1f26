import type { Activation, ConvOperator, Operator, Tensor } from '../graph.js';
import { nodeError } from './nodes.js';

type Geometry = Pick<ConvOperator, 'depthwise' | 'stride' | 'dilation' | 'padding'>;

/** A convolution, a sum or a product under construction: later steps are folded into it. */
export interface Maker {
  readonly kind: 'conv' | 'add' | 'mul';
  weights: Float32Array;
  bias: Float32Array | null;
  activation: Activation;
  readonly channels: number;
  readonly geometry: Geometry;
  readonly kernel: readonly [number, number];
  readonly inputs: readonly string[];
  readonly output: string;
}

/** Each pixel by itself. */
export const POINTWISE: Geometry = {
  depthwise: false,
  stride: [1, 1],
  dilation: [1, 1],
  padding: 'valid',
};

/** A convolution; its weights are copied, for they are scaled in place. */
export function convolutionMaker(
  output: string,
  input: string,
  { weights, kernel, channels }: Pick<Maker, 'weights' | 'kernel' | 'channels'>,
  geometry: Geometry = POINTWISE,
): Maker {
  const { depthwise, stride, dilation, padding } = geometry;
  return {
    kind: 'conv',
    weights: Float32Array.from(weights),
    bias: null,
    activation: 'none',
    channels,
    geometry: { depthwise, stride, dilation, padding },
    kernel,
    inputs: [input],
    output,
  };
}

export function binaryMaker(
  kind: 'add' | 'mul',
  output: string,
  inputs: readonly [string, string],
  channels: number,
): Maker {
  const weights = new Float32Array();
  const rest = { bias: null, activation: 'none', geometry: POINTWISE, kernel: [1, 1] } as const;
  return { ...rest, kind, weights, channels, inputs, output };
}

/** Multiplies a convolution's result and adds to it, one number a channel each. */
export function scaleAndShift(maker: Maker, scale: Float64Array, shift: Float64Array): void {
  const { weights, channels } = maker;
  const { depthwise } = maker.geometry;
  const perChannel = weights.length / channels;
  for (let at = 0; at < weights.length; at += 1) {
    const channel = depthwise ? at % channels : Math.floor(at / perChannel);
    weights[at] = (weights[at] ?? 0) * (scale[channel] ?? 1);
  }
  const bias = maker.bias ?? new Float32Array(channels);
  for (let channel = 0; channel < channels; channel += 1) {
    bias[channel] = (bias[channel] ?? 0) * (scale[channel] ?? 1) + (shift[channel] ?? 0);
  }
  maker.bias = bias;
}

/**
 * The finished operator, with its constants.
 *
 * @throws MND_MODEL_INVALID for weights that are no finite numbers
 */
export function operatorOf(maker: Maker, tensors: Map<string, Tensor>): Operator {
  const { inputs, output, activation, channels, kernel, geometry } = maker;
  const [first = '', second = ''] = inputs;
  if (maker.kind !== 'conv') {
    return { kind: maker.kind, inputs: [first, second], output, activation };
  }
  const constant = (name: string, shape: readonly number[], data: Float32Array) => {
    const bad = data.find((value) => !Number.isFinite(value));
    if (bad !== undefined) {
      throw nodeError('MND_MODEL_INVALID', output, 'finite numbers in its weights', `${bad}`);
    }
    tensors.set(name, { name, type: 'float32', shape, quantization: null, data });
    return name;
  };
  const inner = maker.weights.length / channels / kernel[0] / kernel[1];
  const shape = geometry.depthwise ? [...kernel, channels] : [channels, ...kernel, inner];
  return {
    kind: 'conv',
    input: first,
    weights: constant(`${output}:weights`, shape, maker.weights),
    bias: maker.bias === null ? null : constant(`${output}:bias`, [channels], maker.bias),
    output,
    ...geometry,
    activation,
  };
}
