import { codedError } from '../../errors.js';
import type { Activation, Graph } from '../graph.js';
import { assembleGraph } from './assemble.js';
import { convolutionAttributes, epsilon, isTraining, requireNhwc } from './attributes.js';
import {
  type AddDraft,
  batchNormScaleShift,
  type ConvDraft,
  type Draft,
  outputFirst,
  scaleOutput,
  shiftOutput,
} from './fold.js';
import { quote } from './json.js';
import { type GraphModel, type GraphNode, parseModelJson } from './manifest.js';
import { extractSubgraph, findDetectorCut, type GraphCut, type Subgraph } from './subgraph.js';
import { type Constant, type ConstantReader, openWeights } from './weights.js';

/** The files of a TensorFlow.js graph model; shards in the order of the manifest's paths. */
export interface TfjsFiles {
  readonly modelJson: Uint8Array | string;
  readonly shards: readonly Uint8Array[];
}

interface Reading {
  readonly model: GraphModel;
  readonly subgraph: Subgraph;
  readonly constants: ConstantReader;
  readonly values: Map<string, Draft>;
}

/**
 * Reads the convolutional part of a TensorFlow.js graph model as a float graph. Multiplications,
 * additions and batch norms with constants are folded into the convolution before them. The input
 * is the uint8 picture, followed by the model's normalisation. Without `cut`, the detector's own is found by name.
 *
 * @throws MND_MODEL_INVALID, MND_MODEL_TRUNCATED, MND_MODEL_TOO_LARGE, MND_MODEL_SHAPE,
 *   MND_MODEL_MISMATCH, MND_MODEL_OPERATOR
 */
export function readTfjs(files: TfjsFiles, cut?: GraphCut): Graph {
  const model = parseModelJson(files.modelJson);
  if (model.kind === 'graph') return readDetector(model, openWeights(model, files.shards), cut);
  throw codedError('MND_MODEL_MISMATCH', {
    subject: 'model.json',
    expected: 'a graph model',
    found: 'a layers model',
  });
}

/** The same of a model that was parsed. */
export function readDetector(
  model: GraphModel,
  constants: ConstantReader,
  cut: GraphCut = findDetectorCut(model),
): Graph {
  const normalisation = readNormalisation(model, constants, cut.input);
  const subgraph = extractSubgraph(model, cut);
  const input: Draft = { kind: 'input', channels: 3, output: 'input/normalized' };
  const values = new Map<string, Draft>([[cut.input, input]]);
  const reading: Reading = { model, subgraph, constants, values };
  const drafts = new Set<ConvDraft | AddDraft>();
  for (const node of subgraph.nodes) {
    const draft = readNode(reading, node);
    drafts.add(draft);
    values.set(node.name, draft);
  }
  return assembleGraph(input, normalisation, [...drafts], cut.outputs, values);
}

/** The input of the cut must be Sub(Mul(scale, pixels), offset). */
function readNormalisation(model: GraphModel, constants: ConstantReader, name: string) {
  const sub = model.nodes.get(name);
  const mul = model.nodes.get(sub?.inputs[0] ?? '');
  const scalar = (input: string | undefined) => {
    const constant = input === undefined ? undefined : constants(input);
    return constant?.values.length === 1 ? constant.values[0] : undefined;
  };
  const scale = scalar(mul?.inputs[0]) ?? scalar(mul?.inputs[1]);
  const offset = scalar(sub?.inputs[1]);
  if (sub?.op !== 'Sub' || mul?.op !== 'Mul' || scale === undefined || offset === undefined) {
    throw codedError('MND_MODEL_MISMATCH', {
      subject: `node ${quote(name)}`,
      expected: 'a picture multiplied by one number minus another',
      found: `${sub?.op ?? 'no node'} of ${mul?.op ?? 'nothing'}`,
    });
  }
  if (!(scale > 0)) throw shapeError(mul, 'a positive scale', String(scale));
  return { scale, offset: -offset };
}

function readNode(reading: Reading, node: GraphNode): ConvDraft | AddDraft {
  switch (node.op) {
    case 'Conv2D':
    case 'DepthwiseConv2dNative':
      return readConvolution(reading, node);
    case 'FusedBatchNorm':
    case 'FusedBatchNormV2':
    case 'FusedBatchNormV3':
      return foldBatchNorm(reading, node);
    case 'Mul':
      return foldScale(reading, node);
    case 'Add':
    case 'AddV2':
    case 'AddN':
    case 'BiasAdd':
      return readAddition(reading, node);
    case 'Relu':
      return foldActivation(reading, node, 'relu');
    case 'Relu6':
      return foldActivation(reading, node, 'relu6');
    default:
      throw operatorError(node, 'convolutions, batch norms, additions and ReLU', node.op);
  }
}

function readConvolution(reading: Reading, node: GraphNode): ConvDraft {
  const input = requireActivation(reading, node, 0);
  const { shape, values } = requireConstant(reading, node, 1);
  const [height = 0, width = 0, inputs = 0, last = 0] = shape;
  if (shape.length !== 4 || inputs !== input.channels || values.length === 0) {
    throw shapeError(
      node,
      `weights [height, width, ${input.channels}, n]`,
      `[${shape.join(', ')}]`,
    );
  }
  const depthwise = node.op === 'DepthwiseConv2dNative';
  const channels = depthwise ? inputs * last : last;
  return {
    kind: 'conv',
    input,
    channels,
    depthwise,
    geometry: convolutionAttributes(node),
    // Height, width, in, multiplier is already the order of a depthwise convolution's outputs.
    weights: depthwise ? Float32Array.from(values) : outputFirst(values, shape),
    shape: depthwise ? [height, width, channels] : [channels, height, width, inputs],
    bias: null,
    activation: 'none',
    output: node.name,
  };
}

function foldBatchNorm(reading: Reading, node: GraphNode): ConvDraft {
  requireNhwc(node);
  if (isTraining(node)) throw operatorError(node, 'a batch norm for inference', 'one for training');
  const conv = requireFoldable(reading, node, 0);
  const parameter = (index: number) => requireVector(reading, node, index, conv.channels);
  const { scale, shift } = batchNormScaleShift(
    [parameter(1), parameter(2), parameter(3), parameter(4)],
    epsilon(node),
  );
  scaleOutput(conv, scale);
  shiftOutput(conv, shift);
  conv.output = node.name;
  return conv;
}

function foldScale(reading: Reading, node: GraphNode): ConvDraft {
  const activation = activationInput(reading, node);
  const conv = requireFoldable(reading, node, activation);
  scaleOutput(conv, requireVector(reading, node, 1 - activation, conv.channels));
  conv.output = node.name;
  return conv;
}

function readAddition(reading: Reading, node: GraphNode): ConvDraft | AddDraft {
  if (node.inputs.length !== 2) {
    throw operatorError(node, 'an addition of two', `${node.inputs.length}`);
  }
  const left = reading.values.get(node.inputs[0] ?? '');
  const right = reading.values.get(node.inputs[1] ?? '');
  if (left === undefined || right === undefined) return foldShift(reading, node);
  if (left.channels !== right.channels) {
    throw shapeError(node, 'equal shapes', `${left.channels} and ${right.channels} channels`);
  }
  const { channels } = left;
  return { kind: 'add', inputs: [left, right], channels, activation: 'none', output: node.name };
}

/**
 * A constant added to a convolution is its bias. Added to a residual sum (TensorFlow's optimizer
 * moves it there) it still belongs to the sum's convolution: integer ranges depend on it.
 */
function foldShift(reading: Reading, node: GraphNode): ConvDraft | AddDraft {
  if (node.op === 'BiasAdd') requireNhwc(node);
  const index = activationInput(reading, node);
  const draft = requireActivation(reading, node, index);
  const shift = requireVector(reading, node, 1 - index, draft.channels);
  if (draft.kind !== 'add') {
    const conv = requireFoldable(reading, node, index);
    shiftOutput(conv, shift);
    conv.output = node.name;
    return conv;
  }
  const readOnce = (name: string | undefined) => reading.subgraph.readers.get(name ?? '') === 1;
  const conv = draft.inputs.find((input): input is ConvDraft => {
    return input.kind === 'conv' && input.activation === 'none' && readOnce(input.output);
  });
  if (conv === undefined || draft.activation !== 'none' || !readOnce(node.inputs[index])) {
    throw operatorError(node, 'a constant added to a convolution', 'one added to a sum');
  }
  shiftOutput(conv, shift);
  draft.output = node.name;
  return draft;
}

function foldActivation(reading: Reading, node: GraphNode, activation: Activation) {
  const draft = requireActivation(reading, node, 0);
  const readers = reading.subgraph.readers.get(node.inputs[0] ?? '');
  if (draft.kind === 'input' || draft.activation !== 'none' || readers !== 1) {
    throw operatorError(node, 'an activation right after a convolution or a sum', 'another place');
  }
  draft.activation = activation;
  draft.output = node.name;
  return draft;
}

/** Which of two inputs is the activation; the other one is a constant. */
function activationInput(reading: Reading, node: GraphNode): 0 | 1 {
  return reading.values.has(node.inputs[0] ?? '') ? 0 : 1;
}

function requireActivation(reading: Reading, node: GraphNode, index: number): Draft {
  const draft = reading.values.get(node.inputs[index] ?? '');
  if (draft === undefined) {
    throw operatorError(node, `an activation as input ${index + 1}`, 'a constant or nothing');
  }
  return draft;
}

function requireFoldable(reading: Reading, node: GraphNode, index: number): ConvDraft {
  const draft = requireActivation(reading, node, index);
  const readers = reading.subgraph.readers.get(node.inputs[index] ?? '');
  if (draft.kind !== 'conv' || draft.activation !== 'none' || readers !== 1) {
    throw operatorError(node, 'a convolution alone before it', `${draft.kind}, ${readers} readers`);
  }
  return draft;
}

function requireConstant(reading: Reading, node: GraphNode, index: number): Constant {
  const name = node.inputs[index] ?? '';
  const isConstant = reading.model.nodes.get(name)?.op === 'Const';
  const constant = isConstant ? reading.constants(name) : undefined;
  if (constant === undefined) {
    throw operatorError(node, `a constant as input ${index + 1}`, `${quote(name)} without values`);
  }
  return constant;
}

/** A vector with one value a channel; a single value is repeated. */
function requireVector(reading: Reading, node: GraphNode, index: number, channels: number) {
  const { shape, values } = requireConstant(reading, node, index);
  const [first] = values;
  if (values.length === 1 && first !== undefined) return new Float32Array(channels).fill(first);
  if (values.length !== channels || shape.at(-1) !== channels) {
    throw shapeError(node, `${channels} values`, `[${shape.join(', ')}]`);
  }
  return values;
}

function operatorError(node: GraphNode, expected: string, found: string) {
  const subject = `${node.op} ${quote(node.name)}`.slice(0, 200);
  return codedError('MND_MODEL_OPERATOR', { subject, expected, found: found.slice(0, 120) });
}

function shapeError(node: GraphNode, expected: string, found: string) {
  const subject = `${node.op} ${quote(node.name)}`.slice(0, 200);
  return codedError('MND_MODEL_SHAPE', { subject, expected, found: found.slice(0, 120) });
}
