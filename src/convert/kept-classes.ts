import { codedError } from '../errors.js';
import type { SsdHead } from '../models/variant.js';
import { type GraphView, viewGraph } from './embedding/graph-view.js';
import { encodeField, encodeRawTensor, encodeValue } from './own-onnx/encode.js';
import { damaged, fieldsOf, messageOf, numbersOf, textOf } from './own-onnx/fields.js';
import { type OnnxNode, parseOnnx } from './own-onnx/parse.js';

/** Inputs of a convolution that have a value, or a filter, for each output channel. */
const CHANNEL_INPUTS: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  FusedConv: [1, 2],
  QLinearConv: [3, 4, 5, 8],
};
/** Operators that a predictor's scores may pass afterwards: they move values, or nothing. */
const PASSING = new Set(['Transpose', 'Identity']);

/** Field numbers of ModelProto, GraphProto, TensorProto, NodeProto and AttributeProto. */
const MODEL_GRAPH = 7;
const GRAPH = { initializer: 5, valueInfo: 13 } as const;
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9 } as const;
const NODE_ATTRIBUTE = 5;
const ATTRIBUTE = { name: 1, int: 3 } as const;
const MAX_RANK = 8;

/**
 * An SSD detector whose class predictors have the filters of some classes only. Each score is computed from
 * its own filter, so those that are left are the same numbers, bit for bit.
 *
 * @param kept numbers of the classes, the background (0) not among them; in the outputs they follow each
 *   other in this order
 * @throws MND_MODEL_OPERATOR where a predictor is no convolution of its own
 */
export function withClasses(onnx: Uint8Array, head: SsdHead, kept: readonly number[]): Uint8Array {
  const file = parseOnnx(onnx);
  const graph = viewGraph(file);
  const names = new Set(head.layers.map(({ scores }) => scores.name));
  const cut = new Map<string, Uint8Array>();
  for (const name of names) {
    for (const [constant, tensor] of cutPredictor(
      graph,
      file.constants,
      name,
      head.classes,
      kept,
    )) {
      cut.set(constant, tensor);
    }
  }
  const rest = file.graphRest.flatMap((raw) => restField(raw, cut));
  const outputs = file.outputs.map(({ name, type, raw }) =>
    names.has(name) ? encodeField(12, encodeValue(name, type, null)) : raw,
  );
  const parts = [
    ...file.nodes.map(({ raw }) => raw),
    ...rest,
    ...file.inputs.map(({ raw }) => raw),
    ...outputs,
  ];
  return Buffer.concat([...file.modelRest, encodeField(MODEL_GRAPH, Buffer.concat(parts))]);
}

/** A field of the graph as it is to stand; shapes of values between operators are made anew by the reader. */
function restField(raw: Uint8Array, cut: ReadonlyMap<string, Uint8Array>): Uint8Array[] {
  const [field] = fieldsOf(raw);
  if (field === undefined || field.number === GRAPH.valueInfo) return [];
  if (field.number !== GRAPH.initializer) return [raw];
  const tensor = cut.get(nameOf(messageOf(field)));
  return [tensor === undefined ? raw : encodeField(GRAPH.initializer, tensor)];
}

/** The constants of the predictor of one feature map, cut. */
function cutPredictor(
  graph: GraphView,
  constants: ReadonlyMap<string, Uint8Array>,
  output: string,
  classes: number,
  kept: readonly number[],
): [string, Uint8Array][] {
  const node = predictorOf(graph, output);
  const slots = CHANNEL_INPUTS[node.opType] ?? [];
  const found = slots.flatMap((slot) => {
    const name = node.inputs[slot] ?? '';
    if (name === '') return [];
    const message = constants.get(name);
    if (message === undefined || graph.consumers(name).length !== 1) {
      // A scale or zero point of all channels together may be shared.
      if (message !== undefined && readTensor(message).dims.length === 0) return [];
      throw notCuttable(`"${name}", which others read too`);
    }
    return [readTensor(message)];
  });
  const [weights] = found;
  const channels = weights?.dims[0] ?? 0;
  if (channels === 0 || channels % classes !== 0) throw notCuttable(`${channels} channels`);
  const rows = Array.from({ length: channels / classes }, (_, anchor) =>
    kept.map((index) => anchor * classes + index),
  ).flat();
  return found
    .filter(({ dims }) => dims.length > 0 && !(dims.length === 1 && dims[0] === 1))
    .map((tensor) => [tensor.name, cutTensor(tensor, channels, rows)]);
}

/** The convolution that makes an output. */
function predictorOf(graph: GraphView, output: string): OnnxNode {
  for (let value = output; ; ) {
    const node = graph.producer(value);
    if (node === undefined || graph.consumers(value).length > (value === output ? 0 : 1)) break;
    if (Object.hasOwn(CHANNEL_INPUTS, node.opType) && groupsOf(node) === 1) return node;
    if (!PASSING.has(node.opType)) throw notCuttable(node.opType);
    value = node.inputs[0] ?? '';
  }
  throw notCuttable(`"${output}", which has no predictor of its own`);
}

function groupsOf({ raw }: OnnxNode): number {
  const [node] = fieldsOf(raw);
  for (const field of fieldsOf(node?.bytes ?? new Uint8Array())) {
    if (field.number !== NODE_ATTRIBUTE) continue;
    const parts = [...fieldsOf(messageOf(field))];
    const name = parts.find(({ number }) => number === ATTRIBUTE.name);
    if (name === undefined || textOf(name) !== 'group') continue;
    return parts.find(({ number }) => number === ATTRIBUTE.int)?.value ?? 1;
  }
  return 1;
}

interface StoredTensor {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

function nameOf(message: Uint8Array): string {
  for (const field of fieldsOf(message)) if (field.number === TENSOR.name) return textOf(field);
  return '';
}

function readTensor(message: Uint8Array): StoredTensor {
  const dims: number[] = [];
  let type = 0;
  let bytes: Uint8Array | null = null;
  for (const field of fieldsOf(message)) {
    if (field.number === TENSOR.dims) dims.push(...numbersOf(field, MAX_RANK));
    else if (field.number === TENSOR.type) type = field.value ?? 0;
    else if (field.number === TENSOR.raw) bytes = messageOf(field);
  }
  const name = nameOf(message);
  if (bytes === null) throw notCuttable(`"${name}", whose values are written one by one`);
  return { name, type, dims, bytes };
}

function cutTensor(
  { name, type, dims, bytes }: StoredTensor,
  channels: number,
  rows: readonly number[],
): Uint8Array {
  const [first, ...others] = dims;
  if (first !== channels) throw notCuttable(`"${name}" of [${dims.join(', ')}]`);
  const size = bytes.length / channels;
  if (!Number.isInteger(size)) throw damaged(`${bytes.length} bytes of "${name}"`);
  const parts = rows.map((row) => bytes.subarray(row * size, (row + 1) * size));
  return encodeRawTensor(name, type, [rows.length, ...others], Buffer.concat(parts));
}

function notCuttable(found: string): Error {
  return codedError('MND_MODEL_OPERATOR', {
    subject: 'class predictors',
    expected: 'a convolution for the scores of each feature map',
    found,
  });
}
