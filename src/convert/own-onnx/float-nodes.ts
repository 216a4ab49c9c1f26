import { codedError } from '../../errors.js';
import type { FloatNode, UnnamedNode } from '../float-network/nodes.js';
import { attributesOf, type OnnxAttributes, weightsIn } from './attributes.js';
import { constantValues } from './constants.js';
import type { OnnxFile, OnnxNode } from './parse.js';
import type { OnnxPicture } from './picture.js';

/** What readers of operators work on. */
interface Reading {
  readonly file: OnnxFile;
  readonly nodes: FloatNode[];
  /** What a value of the file became. */
  readonly names: Map<string, string>;
  /** Values of one pixel, whose numbers have one order in every layout. */
  readonly vectors: Set<string>;
  readonly planar: boolean;
}

type NodeReader = (node: OnnxNode, attributes: OnnxAttributes, reading: Reading) => string;

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

function unsupported({ opType, outputs }: OnnxNode, found: string): Error {
  return codedError('MND_MODEL_OPERATOR', {
    subject: `${opType} to "${outputs[0] ?? ''}"`,
    expected: 'an operator of the MobileNet kind, which alone are quantized here',
    found,
    next: 'leave --calibrate out, and the file is used as it is; or quantize it with onnxruntime before',
  });
}

function resultOf({ names }: Reading, name: string): string {
  const value = names.get(name);
  if (value !== undefined) return value;
  throw codedError('MND_MODEL_OPERATOR', {
    subject: `value "${name}"`,
    expected: 'a value that is computed from the picture',
    found: 'none',
    next: 'leave --calibrate out, and the file is used as it is',
  });
}

/** Adds a step; its result is a vector where what it reads is one, or where it says so. */
function add(reading: Reading, step: UnnamedNode, isVector = false): string {
  const name = `step${reading.nodes.length}`;
  const read = 'inputs' in step ? step.inputs : 'input' in step ? [step.input] : [];
  reading.nodes.push({ ...step, name });
  if (isVector || read.every((input) => reading.vectors.has(input))) reading.vectors.add(name);
  return name;
}

function inputOf(node: OnnxNode, reading: Reading): string {
  return resultOf(reading, node.inputs[0] ?? '');
}

const pair = (values: readonly number[] | null): readonly [number, number] => [
  values?.[0] ?? 1,
  values?.[1] ?? values?.[0] ?? 1,
];

/** Padding of a window: zeros in front of it, or TensorFlow's own. */
function windowOf(node: OnnxNode, attributes: OnnxAttributes) {
  const [top = 0, left = 0, bottom = 0, right = 0] = attributes.integers('pads') ?? [];
  const auto = attributes.text('auto_pad') ?? 'NOTSET';
  if (auto === 'SAME_LOWER') throw unsupported(node, 'padding that begins with the odd pixel');
  const padding = auto === 'SAME_UPPER' ? ('same' as const) : ('valid' as const);
  return { padding, zeros: { top, left, bottom, right } };
}

const readConv: NodeReader = (node, attributes, reading) => {
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

const readBatchNorm: NodeReader = (node, attributes, reading) => {
  const [gamma, beta, mean, variance] = node.inputs
    .slice(1, 5)
    .map((name) => weightsIn(reading.file, name)?.values);
  if (!gamma || !beta || !mean || !variance) throw unsupported(node, 'numbers that are computed');
  const epsilon = attributes.float('epsilon', 1e-5);
  const scale = Float64Array.from(gamma, (g, at) => g / Math.sqrt((variance[at] ?? 0) + epsilon));
  const shift = Float64Array.from(beta, (b, at) => b - (mean[at] ?? 0) * (scale[at] ?? 0));
  return add(reading, { kind: 'affine', input: inputOf(node, reading), scale, shift });
};

const readDense: NodeReader = (node, attributes, reading) => {
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
