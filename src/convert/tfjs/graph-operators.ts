import { type FloatNode, nodeError, type UnnamedNode } from '../float-network/nodes.js';
import {
  convolutionAttributes,
  epsilon,
  flag,
  fusedOperators,
  isTraining,
  pads,
  poolAttributes,
  requireNhwc,
} from './attributes.js';
import { batchNormScaleShift, outputFirst } from './fold.js';
import { quote } from './json.js';
import type { GraphModel, GraphNode } from './manifest.js';
import type { Constant, ConstantReader } from './weights.js';

/** What has been read of a file so far. */
export interface Reading {
  readonly model: GraphModel;
  readonly constants: ConstantReader;
  readonly nodes: FloatNode[];
  /** What a node of the file became. */
  readonly names: Map<string, string>;
}

/** Adds a file node's nodes. @returns the name of its result */
export type NodeReader = (node: GraphNode, reading: Reading) => string;

function add({ nodes }: Reading, node: UnnamedNode, name: string): string {
  // The name is what an unnamed node lacks.
  nodes.push({ ...node, name } as FloatNode);
  return name;
}

function activationInput(node: GraphNode, reading: Reading, index: number): string {
  const name = reading.names.get(node.inputs[index] ?? '');
  if (name !== undefined) return name;
  throw unsupported(node, `a computed value as input ${index + 1}`, 'a constant or nothing');
}

function constantInput(node: GraphNode, { model, constants }: Reading, index: number): Constant {
  const constant = constantAt(node, model, constants, index);
  if (constant !== undefined) return constant;
  throw unsupported(node, `a constant as input ${index + 1}`, 'a computed value');
}

function constantAt(
  node: GraphNode,
  model: GraphModel,
  constants: ConstantReader,
  index: number,
): Constant | undefined {
  let name = node.inputs[index] ?? '';
  // Converters leave Identity behind variables that became constants.
  for (let steps = 0; steps < 4; steps += 1) {
    const found = model.nodes.get(name);
    if (found?.op === 'Const') return constants(name);
    if (found?.op !== 'Identity') return undefined;
    name = found.inputs[0] ?? '';
  }
  return undefined;
}

/** What is fused into an operator, in order: a bias, then an activation function. */
function fused(node: GraphNode, reading: Reading, start: string): string {
  let value = start;
  for (const [place, op] of fusedOperators(node).entries()) {
    const name = `${node.name}/${op}`;
    if (op === 'BiasAdd') {
      const shift = constantInput(node, reading, 2 + place).values;
      value = add(reading, { kind: 'affine', input: value, scale: null, shift }, name);
    } else if (op === 'Relu' || op === 'Relu6') {
      const activation = op === 'Relu' ? 'relu' : 'relu6';
      value = add(reading, { kind: 'activation', input: value, function: activation }, name);
    } else {
      throw unsupported(node, 'BiasAdd, Relu or Relu6 fused into it', op);
    }
  }
  return value;
}

const convolution: NodeReader = (node, reading) => {
  const { shape, values } = constantInput(node, reading, 1);
  const [height = 0, width = 0, inputs = 0, last = 0] = shape;
  if (shape.length !== 4 || values.length === 0) {
    throw unsupported(node, 'weights [height, width, in, out]', `[${shape.join(', ')}]`);
  }
  const depthwise = node.op.includes('Depthwise');
  const input = activationInput(node, reading, 0);
  const result = add(
    reading,
    {
      kind: 'conv',
      input,
      weights: depthwise ? Float32Array.from(values) : outputFirst(values, shape),
      kernel: [height, width],
      channels: depthwise ? inputs * last : last,
      depthwise,
      ...convolutionAttributes(node),
    },
    node.name,
  );
  return fused(node, reading, result);
};

const matrix: NodeReader = (node, reading) => {
  if (flag(node, 'transpose_a')) throw unsupported(node, 'rows as they are', 'transpose_a');
  const { shape, values } = constantInput(node, reading, 1);
  const transposed = flag(node, 'transpose_b');
  const [rows = 0, columns = 0] = transposed ? [...shape].reverse() : shape;
  if (shape.length !== 2 || values.length === 0) {
    throw unsupported(node, 'weights [in, out]', `[${shape.join(', ')}]`);
  }
  const weights = transposed
    ? Float32Array.from(values)
    : outputFirst(values, [1, 1, rows, columns]);
  const input = activationInput(node, reading, 0);
  return fused(
    node,
    reading,
    add(reading, { kind: 'dense', input, weights, channels: columns }, node.name),
  );
};

/** An arithmetic operator: with a constant a scaling, of two values a sum or product. */
const arithmetic: NodeReader = (node, reading) => {
  const { model, constants, names } = reading;
  const { op, name } = node;
  if (op === 'BiasAdd') requireNhwc(node);
  const [left, right] = [names.get(node.inputs[0] ?? ''), names.get(node.inputs[1] ?? '')];
  if (left !== undefined && right !== undefined && op !== 'Sub' && op !== 'RealDiv') {
    return add(reading, { kind: op === 'Mul' ? 'mul' : 'add', inputs: [left, right] }, name);
  }
  const input = left ?? right;
  const constant = constantAt(node, model, constants, left === undefined ? 0 : 1);
  const reversed = left === undefined && (op === 'Sub' || op === 'RealDiv');
  if (input === undefined || constant === undefined || reversed) {
    throw unsupported(node, 'a value and a constant, or two values', 'something else');
  }
  const values = Float64Array.from(constant.values);
  if (op === 'Mul')
    return add(reading, { kind: 'affine', input, scale: values, shift: null }, name);
  if (op === 'RealDiv') {
    const scale = values.map((value) => 1 / value);
    return add(reading, { kind: 'affine', input, scale, shift: null }, name);
  }
  const shift = op === 'Sub' ? values.map((value) => -value) : values;
  return add(reading, { kind: 'affine', input, scale: null, shift }, name);
};

const batchNorm: NodeReader = (node, reading) => {
  requireNhwc(node);
  if (isTraining(node)) throw unsupported(node, 'a batch norm for inference', 'one for training');
  const values = (index: number) => constantInput(node, reading, index).values;
  const { scale, shift } = batchNormScaleShift(
    [values(1), values(2), values(3), values(4)],
    epsilon(node),
  );
  const input = activationInput(node, reading, 0);
  return add(reading, { kind: 'affine', input, scale, shift }, node.name);
};

const activation =
  (name: 'relu' | 'relu6' | 'sigmoid' | 'softmax'): NodeReader =>
  (node, reading) => {
    const input = activationInput(node, reading, 0);
    return add(reading, { kind: 'activation', input, function: name }, node.name);
  };

const pool =
  (kind: 'max-pool' | 'average-pool'): NodeReader =>
  (node, reading) =>
    add(
      reading,
      { kind, input: activationInput(node, reading, 0), ...poolAttributes(node) },
      node.name,
    );

const zeros: NodeReader = (node, reading) => {
  const value = node.op === 'PadV2' ? constantInput(node, reading, 2).values[0] : 0;
  if (value !== 0) throw unsupported(node, 'zeros around', String(value));
  const padding = pads(node, Array.from(constantInput(node, reading, 1).values));
  return add(
    reading,
    { kind: 'pad', input: activationInput(node, reading, 0), padding },
    node.name,
  );
};

const mean: NodeReader = (node, reading) => {
  const axes = Array.from(constantInput(node, reading, 1).values).sort();
  if (axes.join() !== '1,2') throw unsupported(node, 'the mean of the map', `axes ${axes.join()}`);
  const input = activationInput(node, reading, 0);
  return add(reading, { kind: 'global-average', input }, node.name);
};

/** A row of values: at most one side is not 1. */
const row: NodeReader = (node, reading) => {
  if (node.op === 'Reshape') {
    const sides = Array.from(constantInput(node, reading, 1).values);
    const long = sides.filter((side) => side !== 1 && side !== -1);
    if (long.length > 1) throw unsupported(node, 'a row of values', `[${sides.join(', ')}]`);
  }
  return add(reading, { kind: 'flatten', input: activationInput(node, reading, 0) }, node.name);
};

const passed: NodeReader = (node, reading) =>
  add(reading, { kind: 'identity', input: activationInput(node, reading, 0) }, node.name);

/** How each operator is read, by its name in the file. */
export const READERS: Readonly<Record<string, NodeReader>> = {
  Conv2D: convolution,
  _FusedConv2D: convolution,
  DepthwiseConv2dNative: convolution,
  FusedDepthwiseConv2dNative: convolution,
  MatMul: matrix,
  _FusedMatMul: matrix,
  Add: arithmetic,
  AddV2: arithmetic,
  BiasAdd: arithmetic,
  Sub: arithmetic,
  Mul: arithmetic,
  RealDiv: arithmetic,
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  Relu: activation('relu'),
  Relu6: activation('relu6'),
  Sigmoid: activation('sigmoid'),
  Softmax: activation('softmax'),
  MaxPool: pool('max-pool'),
  AvgPool: pool('average-pool'),
  Pad: zeros,
  PadV2: zeros,
  Mean: mean,
  Squeeze: row,
  Reshape: row,
  Identity: passed,
  StopGradient: passed,
  Cast: passed,
};

export function unsupported(node: GraphNode, expected: string, found: string): Error {
  return nodeError('MND_MODEL_OPERATOR', `${node.op} ${quote(node.name)}`, expected, found);
}
