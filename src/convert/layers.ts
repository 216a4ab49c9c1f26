import type { Activation, ConvOperator, Graph, Operator, Tensor } from './graph.js';
import { constantOf, elementCount, quantizationOf, tensorOf } from './tensors.js';

/** One operator of a converted network, as far as people look at it. */
export interface LayerReport {
  /** Name of its result. */
  readonly name: string;
  /** An operator's kind; depthwise convolutions are told apart. */
  readonly kind: string;
  readonly activation: Activation;
  /** Of the result; −1 for a side that depends on the picture's. */
  readonly shape: readonly number[];
  /** real = scale · (stored − zeroPoint); null for float results, and for a scale a channel. */
  readonly scale: number | null;
  readonly zeroPoint: number | null;
  /** Real numbers that the result can hold; null for float results. */
  readonly range: readonly [least: number, greatest: number] | null;
  /** Weights and biases. */
  readonly parameters: number;
  /** Multiply-adds; null if a side is not known. */
  readonly multAdds: number | null;
  /** Output channels of a convolution whose weights are all zero: their result is their bias. */
  readonly deadChannels: number;
  /** Smallest and largest scale of a convolution's weights; null where they are not quantized. */
  readonly weightScale: readonly [smallest: number, largest: number] | null;
}

/** The operators of a graph in order, each with its result and what can be said of its weights. */
export function layersOf(graph: Graph): LayerReport[] {
  return graph.operators.map((operator) => {
    const result = tensorOf(graph, operator.output);
    return {
      name: operator.output,
      kind: operator.kind === 'conv' && operator.depthwise ? 'depthwise-conv' : operator.kind,
      activation: activationOf(operator),
      shape: result.shape,
      ...rangeOf(result),
      ...(operator.kind === 'conv' ? weightsOf(graph, operator, result) : NO_WEIGHTS),
    };
  });
}

const NO_WEIGHTS = { parameters: 0, multAdds: 0, deadChannels: 0, weightScale: null };

function activationOf(operator: Operator): Activation {
  return 'activation' in operator ? operator.activation : 'none';
}

function rangeOf({ type, quantization }: Tensor) {
  const [scale] = quantization?.scale ?? [];
  const [zeroPoint] = quantization?.zeroPoint ?? [];
  if (type !== 'uint8' || scale === undefined || zeroPoint === undefined) {
    return { scale: null, zeroPoint: null, range: null };
  }
  return {
    scale,
    zeroPoint,
    range: [-zeroPoint * scale, (255 - zeroPoint) * scale] as const,
  };
}

/**
 * A convolution's multiply-adds are its output values times the weights that make up one of them;
 * biases and activations are not counted, as in the MobileNet paper (arXiv 1704.04861, §3.1).
 */
function weightsOf(graph: Graph, operator: ConvOperator, { shape }: Tensor) {
  const weights = tensorOf(graph, operator.weights);
  const values = constantOf(weights);
  const bias = operator.bias === null ? 0 : constantOf(tensorOf(graph, operator.bias)).length;
  const outputs = elementCount(shape);
  const scales = weights.type === 'float32' ? [] : quantizationOf(weights).scale;
  return {
    parameters: values.length + bias,
    multAdds: outputs < 0 ? null : outputs * (values.length / (shape[3] ?? 1)),
    deadChannels: countDead(operator, weights),
    weightScale:
      scales.length === 0
        ? null
        : ([least(scales), -least(scales.map((scale) => -scale))] as const),
  };
}

function least(values: readonly number[]): number {
  return values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
}

/** Weights are [out, height, width, in], depthwise [height, width, out]. */
function countDead({ depthwise }: ConvOperator, weights: Tensor): number {
  const values = constantOf(weights);
  const channels = weights.shape[depthwise ? 2 : 0] ?? 0;
  const zeroPoints = weights.quantization?.zeroPoint ?? [0];
  const perChannel = values.length / channels;
  let dead = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    const zero = zeroPoints[zeroPoints.length === 1 ? 0 : channel] ?? 0;
    const first = depthwise ? channel : channel * perChannel;
    const step = depthwise ? channels : 1;
    let index = 0;
    while (index < perChannel && values[first + index * step] === zero) index += 1;
    if (index >= perChannel) dead += 1;
  }
  return dead;
}
