import { weightsIn } from './attributes.js';
import type { OnnxNode } from './parse.js';
import {
  add,
  inputOf,
  type NodeReader,
  pair,
  type Reading,
  unsupported,
  windowOf,
} from './reading.js';

export const readConv: NodeReader = (node, attributes, reading) => {
  const weights = weightsIn(reading.file, node.inputs[1] ?? '');
  if (weights === null) throw unsupported(node, 'weights that are computed');
  const [channels = 0, perGroup = 0, rows = 0, columns = 0] = weights.dims;
  const group = attributes.integer('group', 1);
  const depthwise = group > 1;
  if (weights.dims.length !== 4 || (depthwise && perGroup !== 1)) {
    throw unsupported(node, `${group} groups of ${perGroup} channels`);
  }
  const { padding, zeros } = windowOf(node, attributes);
  let input = inputOf(node, reading);
  if (Object.values(zeros).some((side) => side > 0)) {
    input = add(reading, { kind: 'pad', input, padding: zeros });
  }
  const output = add(reading, {
    kind: 'conv',
    input,
    weights: channelsLast(weights.values, [channels, perGroup, rows, columns], depthwise),
    kernel: [rows, columns],
    channels,
    depthwise,
    stride: pair(attributes.integers('strides')),
    dilation: pair(attributes.integers('dilations')),
    padding,
  });
  return withBias(node, node.inputs[2], output, reading);
};

/** [out, in, height, width] → [out, height, width, in], of depthwise ones [height, width, out]. */
function channelsLast(
  values: Float32Array,
  [outs, ins, rows, columns]: readonly [number, number, number, number],
  depthwise: boolean,
): Float32Array {
  const result = new Float32Array(values.length);
  const area = rows * columns;
  for (let out = 0; out < outs; out += 1) {
    for (let within = 0; within < ins; within += 1) {
      for (let at = 0; at < area; at += 1) {
        const to = depthwise ? at * outs + out : (out * area + at) * ins + within;
        result[to] = values[(out * ins + within) * area + at] ?? 0;
      }
    }
  }
  return result;
}

function withBias(node: OnnxNode, name: string | undefined, input: string, reading: Reading) {
  if (name === undefined || name === '') return input;
  const bias = weightsIn(reading.file, name);
  if (bias === null) throw unsupported(node, 'a bias that is computed');
  return add(reading, { kind: 'affine', input, scale: null, shift: bias.values });
}

export const readBatchNorm: NodeReader = (node, attributes, reading) => {
  const [gamma, beta, mean, variance] = node.inputs
    .slice(1, 5)
    .map((name) => weightsIn(reading.file, name)?.values);
  if (!gamma || !beta || !mean || !variance) throw unsupported(node, 'numbers that are computed');
  const epsilon = attributes.float('epsilon', 1e-5);
  const scale = Float64Array.from(gamma, (g, at) => g / Math.sqrt((variance[at] ?? 0) + epsilon));
  const shift = Float64Array.from(beta, (b, at) => b - (mean[at] ?? 0) * (scale[at] ?? 0));
  return add(reading, { kind: 'affine', input: inputOf(node, reading), scale, shift });
};

export const readDense: NodeReader = (node, attributes, reading) => {
  const input = inputOf(node, reading);
  const weights = weightsIn(reading.file, node.inputs[1] ?? '');
  const plain = attributes.float('alpha', 1) === 1 && attributes.float('beta', 1) === 1;
  if (weights?.dims.length !== 2 || !plain || attributes.integer('transA', 0) !== 0) {
    throw unsupported(node, 'a product of another kind than of a vector with constant weights');
  }
  if (!reading.vectors.has(input)) throw unsupported(node, 'a dense layer on a map');
  const [first = 0, second = 0] = weights.dims;
  const turned = attributes.integer('transB', 0) !== 0;
  const [channels, count] = turned ? [first, second] : [second, first];
  const values = turned
    ? weights.values
    : Float32Array.from(weights.values, (_, at) => {
        return weights.values[(at % count) * channels + Math.floor(at / count)] ?? 0;
      });
  const output = add(reading, { kind: 'dense', input, weights: values, channels }, true);
  return withBias(node, node.inputs[2], output, reading);
};
