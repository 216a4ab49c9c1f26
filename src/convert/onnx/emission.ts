import { codedError } from '../../errors.js';
import { outputSide, paddingOf } from '../geometry.js';
import type { ConvOperator, Graph, Tensor, TensorData } from '../graph.js';
import { constantOf, nhwcShape, tensorOf } from '../tensors.js';
import type { AttributeValue, OnnxBuilder } from './builder.js';

/** What every emitter needs: the graph that is read and the model that is written. */
export interface Emission {
  readonly graph: Graph;
  readonly builder: OnnxBuilder;
}

/**
 * Name of the value that holds an activation inside the ONNX graph: NCHW if it has four dimensions.
 * Inputs and outputs carry the tensor's own name in NHWC, so their inner value needs another.
 */
export function innerName(graph: Graph, name: string): string {
  const outside = graph.inputs.includes(name) || graph.outputs.includes(name);
  return outside && tensorOf(graph, name).shape.length === 4 ? `${name}:nchw` : name;
}

/**
 * Name of a value that an addition or multiplication reads. Constants become ONNX constants: without
 * dimensions, or [channels, 1, 1], which broadcasts over NCHW.
 */
export function operandName({ graph, builder }: Emission, name: string): string {
  const tensor = tensorOf(graph, name);
  if (tensor.data === null) return innerName(graph, name);
  const type = tensor.type === 'int8' ? 'uint8' : tensor.type;
  const count = tensor.data.length;
  return builder.constant(`${name}:operand`, type, count === 1 ? [] : [count, 1, 1], tensor.data);
}

/** A convolution with its kernel sizes and channels, all checked against each other. */
export interface ConvShapes {
  readonly inputShape: readonly [number, number, number, number];
  readonly kernel: readonly [height: number, width: number];
  readonly inChannels: number;
  readonly outChannels: number;
  readonly groups: number;
}

function shapeError(operator: ConvOperator, expected: string, found: string): Error {
  return codedError('MND_MODEL_SHAPE', {
    subject: `convolution to ${operator.output}`,
    expected,
    found,
  });
}

function kernelOf(operator: ConvOperator, weights: Tensor) {
  const rank = operator.depthwise ? 3 : 4;
  if (weights.shape.length !== rank || weights.shape.some((side) => side < 1)) {
    throw shapeError(operator, `weights of ${rank} dimensions`, `[${weights.shape.join(', ')}]`);
  }
  const [first = 0, second = 0, third = 0, fourth = 0] = weights.shape;
  return operator.depthwise
    ? { kernel: [first, second] as const, perGroup: 1, outChannels: third }
    : { kernel: [second, third] as const, perGroup: fourth, outChannels: first };
}

/** Checks a convolution's shapes; MND_MODEL_SHAPE if anything does not fit. */
export function convShapes(graph: Graph, operator: ConvOperator): ConvShapes {
  const inputShape = nhwcShape(tensorOf(graph, operator.input));
  const outputShape = nhwcShape(tensorOf(graph, operator.output));
  const weights = tensorOf(graph, operator.weights);
  const { kernel, perGroup, outChannels } = kernelOf(operator, weights);
  const inChannels = inputShape[3];
  const groups = operator.depthwise ? inChannels : 1;
  const fits = operator.depthwise ? outChannels % inChannels === 0 : perGroup === inChannels;
  if (!fits || outputShape[3] !== outChannels) {
    throw shapeError(
      operator,
      'input, weights and output to agree on the channels',
      `${inChannels} in, weights [${weights.shape.join(', ')}], ${outputShape[3]} out`,
    );
  }
  const height = outputSide(operator, 'height', inputShape[1], kernel[0]);
  const width = outputSide(operator, 'width', inputShape[2], kernel[1]);
  if (height !== outputShape[1] || width !== outputShape[2] || height === 0 || width === 0) {
    throw shapeError(operator, `${height}×${width} pixels`, `${outputShape[1]}×${outputShape[2]}`);
  }
  if (constantOf(weights).length !== weights.shape.reduce((a, b) => a * b, 1)) {
    throw shapeError(
      operator,
      'as many weights as the shape says',
      `${constantOf(weights).length}`,
    );
  }
  if (operator.bias !== null) {
    const bias = constantOf(tensorOf(graph, operator.bias));
    if (bias.length !== outChannels) {
      throw shapeError(operator, `a bias of ${outChannels} values`, `${bias.length}`);
    }
  }
  return { inputShape, kernel, inChannels, outChannels, groups };
}

/** ONNX attributes of a convolution. */
export function convAttributes(
  operator: ConvOperator,
  { inputShape, kernel, groups }: ConvShapes,
): Record<string, AttributeValue> {
  const attributes: Record<string, AttributeValue> = {
    kernel_shape: kernel,
    strides: operator.stride,
    dilations: operator.dilation,
    group: groups,
  };
  if (operator.padding === 'same' && (inputShape[1] < 0 || inputShape[2] < 0)) {
    return { ...attributes, auto_pad: 'SAME_UPPER' };
  }
  const [top, bottom] = paddingOf(operator, 'height', inputShape[1], kernel[0]);
  const [left, right] = paddingOf(operator, 'width', inputShape[2], kernel[1]);
  return { ...attributes, pads: [top, left, bottom, right] };
}

/** Dimensions of the weights in ONNX's order: out, in per group, height, width. */
export function onnxWeightDims(shapes: ConvShapes): [number, number, number, number] {
  return [shapes.outChannels, shapes.inChannels / shapes.groups, ...shapes.kernel];
}

/**
 * Weights in ONNX's order: from [out, height, width, in] or depthwise [height, width, out] to out, in,
 * height, width. Those of a 1×1 convolution are in that order, and returned as they are.
 */
export function reorderedWeights<T extends TensorData>(
  { depthwise }: ConvOperator,
  { kernel: [height, width], inChannels, outChannels }: ConvShapes,
  source: T,
): T {
  const pixels = height * width;
  if (pixels === 1 && !depthwise) return source;
  const perGroup = depthwise ? 1 : inChannels;
  const target = source.slice() as T;
  let to = 0;
  for (let out = 0; out < outChannels; out += 1) {
    for (let channel = 0; channel < perGroup; channel += 1) {
      for (let pixel = 0; pixel < pixels; pixel += 1) {
        const from = depthwise
          ? pixel * outChannels + out
          : (out * pixels + pixel) * perGroup + channel;
        target[to] = source[from] ?? 0;
        to += 1;
      }
    }
  }
  return target;
}
