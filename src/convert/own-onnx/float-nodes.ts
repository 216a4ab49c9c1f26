import { attributesOf, weightsIn } from './attributes.js';
import { constantValues } from './constants.js';
import type { OnnxFile, OnnxNode } from './parse.js';
import type { OnnxPicture } from './picture.js';
import {
  add,
  inputOf,
  type NodeReader,
  pair,
  type Reading,
  resultOf,
  unsupported,
  windowOf,
} from './reading.js';
import { readBatchNorm, readConv, readDense } from './weighted-nodes.js';

/**
 * The steps of a float classifier between its picture and one of its values.
 *
 * @throws MND_MODEL_OPERATOR for one that cannot be quantized here, MND_MODEL_SHAPE, MND_MODEL_INVALID
 */
export function readFloatNodes(file: OnnxFile, picture: OnnxPicture, end: string) {
  const [height, width] = picture.sides;
  const { planar, channels, input } = picture;
  const reading: Reading = {
    file,
    planar,
    nodes: [{ kind: 'picture', name: 'picture', shape: [height, width, channels] }],
    names: new Map([[input.name, 'picture']]),
    vectors: new Set(),
  };
  for (const node of nodesBefore(file, end)) {
    if (node.opType === 'Constant') continue;
    const read = READERS[node.opType];
    if (read === undefined) throw unsupported(node, node.opType);
    reading.names.set(node.outputs[0] ?? '', read(node, attributesOf(node), reading));
  }
  return { nodes: reading.nodes, output: resultOf(reading, end) };
}

/** The operators that a value depends on, each behind those that it reads. */
function nodesBefore(file: OnnxFile, end: string): OnnxNode[] {
  const producers = new Map(file.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const ordered: OnnxNode[] = [];
  const state = new Map<OnnxNode, 'open' | 'done'>();
  const pending: (readonly [OnnxNode, boolean])[] = [];
  const push = (name: string) => {
    const node = producers.get(name);
    if (node !== undefined && !state.has(node)) pending.push([node, false]);
  };
  push(end);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [node, visited] = next;
    if (visited) {
      if (state.get(node) !== 'done') ordered.push(node);
      state.set(node, 'done');
      continue;
    }
    if (state.has(node)) continue;
    state.set(node, 'open');
    pending.push([node, true]);
    for (const input of node.inputs) push(input);
  }
  return ordered;
}

const activation =
  (name: 'relu' | 'sigmoid' | 'hard-swish'): NodeReader =>
  (node, _, reading) =>
    add(reading, { kind: 'activation', input: inputOf(node, reading), function: name });

const readClip: NodeReader = (node, attributes, reading) => {
  const bound = (place: number, name: string, fallback: number) => {
    const given = node.inputs[place] ?? '';
    return given === ''
      ? attributes.float(name, fallback)
      : (constantValues(reading.file, given)?.[0] ?? Number.NaN);
  };
  const [low, high] = [bound(1, 'min', -Infinity), bound(2, 'max', Infinity)];
  if (low !== 0 || !(high === 6 || high > 1e30)) throw unsupported(node, `${low} to ${high}`);
  const name = high === 6 ? 'relu6' : 'relu';
  return add(reading, { kind: 'activation', input: inputOf(node, reading), function: name });
};

/** ReLU6(6αx + 6β) / 6 */
const readHardSigmoid: NodeReader = (node, attributes, reading) => {
  const scale = [6 * attributes.float('alpha', 0.2)];
  const shift = [6 * attributes.float('beta', 0.5)];
  const moved = add(reading, { kind: 'affine', input: inputOf(node, reading), scale, shift });
  const cut = add(reading, { kind: 'activation', input: moved, function: 'relu6' });
  return add(reading, { kind: 'affine', input: cut, scale: [1 / 6], shift: null });
};

const readBinary: NodeReader = (node, _, reading) => {
  const [left = '', right = ''] = node.inputs;
  const [a, b] = [weightsIn(reading.file, left), weightsIn(reading.file, right)];
  const { opType } = node;
  if (a === null && b === null) {
    if (opType !== 'Add' && opType !== 'Mul') throw unsupported(node, 'two computed values');
    const kind = opType === 'Add' ? 'add' : 'mul';
    return add(reading, { kind, inputs: [resultOf(reading, left), resultOf(reading, right)] });
  }
  const constant = b ?? a;
  const swapped = b === null;
  if (constant === null || (swapped && (opType === 'Sub' || opType === 'Div'))) {
    throw unsupported(node, 'a constant before the sign');
  }
  const input = resultOf(reading, swapped ? right : left);
  const { dims, values } = constant;
  const map = [...dims].slice(-2).every((side) => side === 1) && dims.length >= 3;
  if (values.length > 1 && !map && !reading.vectors.has(input)) {
    throw unsupported(node, `a constant of shape [${dims.join(', ')}] on a map`);
  }
  switch (opType) {
    case 'Add':
      return add(reading, { kind: 'affine', input, scale: null, shift: values });
    case 'Sub':
      return add(reading, { kind: 'affine', input, scale: null, shift: values.map((v) => -v) });
    case 'Mul':
      return add(reading, { kind: 'affine', input, scale: values, shift: null });
    default:
      return add(reading, { kind: 'affine', input, scale: values.map((v) => 1 / v), shift: null });
  }
};

const readMean: NodeReader = (node, attributes, reading) => {
  const axes =
    attributes.integers('axes') ?? constantValues(reading.file, node.inputs[1] ?? '') ?? [];
  const sides = [...axes].map((axis) => (axis < 0 ? axis + 4 : axis)).sort();
  if (sides.join() !== '2,3') throw unsupported(node, `a mean over [${axes.join(', ')}]`);
  return add(reading, { kind: 'global-average', input: inputOf(node, reading) }, true);
};

const readPool: NodeReader = (node, attributes, reading) => {
  const { padding, zeros } = windowOf(node, attributes);
  if (Object.values(zeros).some((side) => side > 0)) throw unsupported(node, 'zeros around a pool');
  if (attributes.integer('ceil_mode', 0) !== 0) throw unsupported(node, 'ceil_mode');
  const average = node.opType === 'AveragePool';
  const step = {
    input: inputOf(node, reading),
    kernel: pair(attributes.integers('kernel_shape')),
    stride: pair(attributes.integers('strides')),
    padding,
  };
  // An average is read over the whole map alone.
  return add(reading, { kind: average ? 'average-pool' : 'max-pool', ...step }, average);
};

const readShape: NodeReader = (node, _, reading) => {
  const input = inputOf(node, reading);
  if (!reading.vectors.has(input)) throw unsupported(node, 'another shape for a map');
  return add(reading, { kind: 'flatten', input }, true);
};

const readTranspose: NodeReader = (node, attributes, reading) => {
  const input = inputOf(node, reading);
  const order = (attributes.integers('perm') ?? []).join();
  const first = input === 'picture' && !reading.planar && order === '0,3,1,2';
  if (!first && !reading.vectors.has(input)) throw unsupported(node, `the order ${order}`);
  return add(reading, { kind: 'identity', input });
};

const readPad: NodeReader = (node, attributes, reading) => {
  const pads =
    attributes.integers('pads') ?? constantValues(reading.file, node.inputs[1] ?? '') ?? [];
  const [n0, c0, top = 0, left = 0, n1, c1, bottom = 0, right = 0] = pads;
  const value = constantValues(reading.file, node.inputs[2] ?? '')?.[0] ?? 0;
  const zeros = (attributes.text('mode') ?? 'constant') === 'constant' && value === 0;
  if (!zeros || pads.length !== 8 || [n0, c0, n1, c1].some((side) => side !== 0)) {
    throw unsupported(node, 'padding of another kind than zeros around a map');
  }
  const padding = { top, left, bottom, right };
  return add(reading, { kind: 'pad', input: inputOf(node, reading), padding });
};

const readIdentity: NodeReader = (node, _, reading) =>
  add(reading, { kind: 'identity', input: inputOf(node, reading) });

const readGlobalAverage: NodeReader = (node, _, reading) =>
  add(reading, { kind: 'global-average', input: inputOf(node, reading) }, true);

const READERS: Readonly<Record<string, NodeReader>> = {
  Add: readBinary,
  AveragePool: readPool,
  BatchNormalization: readBatchNorm,
  Clip: readClip,
  Conv: readConv,
  Div: readBinary,
  Dropout: readIdentity,
  Flatten: readShape,
  Gemm: readDense,
  GlobalAveragePool: readGlobalAverage,
  HardSigmoid: readHardSigmoid,
  HardSwish: activation('hard-swish'),
  Identity: readIdentity,
  MatMul: readDense,
  MaxPool: readPool,
  Mul: readBinary,
  Pad: readPad,
  ReduceMean: readMean,
  Relu: activation('relu'),
  Reshape: readShape,
  Sigmoid: activation('sigmoid'),
  Squeeze: readShape,
  Sub: readBinary,
  Transpose: readTranspose,
  Unsqueeze: readShape,
};
