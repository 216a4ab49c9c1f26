import { codedError } from '../../errors.js';
import { damaged, type Field, fieldsOf, messageOf, textOf } from './fields.js';
import { checkTensor } from './tensor.js';

/** A value that goes in or out: type as TensorProto.DataType, −1 for a side that is not fixed. */
export interface OnnxValue {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[] | null;
  /** The whole field of the graph. */
  readonly raw: Uint8Array;
}

export interface OnnxNode {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly opType: string;
  readonly domain: string;
  /** The whole field of the graph. */
  readonly raw: Uint8Array;
}

/** An ONNX file as far as it must be understood to be wrapped. Everything is checked and counted. */
export interface OnnxFile {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Values in all constants. */
  readonly parameters: number;
  /** TensorProto of each, as it stands in the file. */
  readonly constants: ReadonlyMap<string, Uint8Array>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly opset: number;
  /** Fields of the graph that are passed on as they stand: constants, shapes, names. */
  readonly graphRest: readonly Uint8Array[];
  /** Fields of the model but for its graph. */
  readonly modelRest: readonly Uint8Array[];
}

/** Metadata in which Ultralytics writes the names of the classes. */
export const LABELS_KEY = 'names';
const MAX_LABELS_BYTES = 65_536;

/** Largest file that is read, bytes. */
export const MAX_ONNX_BYTES = 128 * 2 ** 20;
/** Nodes and constants of the largest classifiers are some hundreds. */
const MAX_ITEMS = 10_000;
const MAX_RANK = 8;

const MODEL = { graph: 7, opsets: 8, metadata: 14, training: 20, functions: 25 } as const;
const GRAPH = { node: 1, initializer: 5, inputs: 11, outputs: 12, sparse: 15 } as const;
const NODE = { inputs: 1, outputs: 2, opType: 4, attributes: 5, domain: 7 } as const;
const ATTRIBUTE = { tensor: 5, graph: 6, tensors: 10, graphs: 11, sparse: [22, 23] } as const;

/**
 * Parses an ONNX file without decoding its constants.
 *
 * @throws MND_MODEL_TRUNCATED, MND_MODEL_INVALID, MND_MODEL_TOO_LARGE, MND_MODEL_OPERATOR (control
 *   flow, functions, sparse tensors)
 */
export function parseOnnx(file: Uint8Array): OnnxFile {
  if (file.length > MAX_ONNX_BYTES) throw tooLarge(`${MAX_ONNX_BYTES} bytes`, `${file.length}`);
  const modelRest: Uint8Array[] = [];
  const metadata = new Map<string, string>();
  let graph: Uint8Array | null = null;
  let opset = 0;
  for (const field of fieldsOf(file)) {
    if (field.number === MODEL.graph) {
      if (graph !== null) throw damaged('two graphs');
      graph = messageOf(field);
      continue;
    }
    if (field.number === MODEL.functions || field.number === MODEL.training) {
      throw unsupported('functions and training');
    }
    if (field.number === MODEL.opsets) opset = Math.max(opset, mainOpset(messageOf(field)));
    if (field.number === MODEL.metadata) readMetadata(messageOf(field), metadata);
    modelRest.push(field.raw);
    limitItems(modelRest.length);
  }
  if (graph === null) throw damaged('no graph');
  return { ...readGraph(graph), metadata, opset, modelRest };
}

function readGraph(graph: Uint8Array) {
  const nodes: OnnxNode[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const graphRest: Uint8Array[] = [];
  const constants = new Map<string, Uint8Array>();
  let parameters = 0;
  for (const field of fieldsOf(graph)) {
    if (field.number === GRAPH.node) nodes.push(readNode(field));
    else if (field.number === GRAPH.inputs) inputs.push(readValue(field));
    else if (field.number === GRAPH.outputs) outputs.push(readValue(field));
    else if (field.number === GRAPH.sparse) throw unsupported('sparse constants');
    else {
      if (field.number === GRAPH.initializer) {
        const { name, count } = checkTensor(messageOf(field));
        if (constants.has(name)) throw damaged(`two constants "${name}"`);
        constants.set(name, messageOf(field));
        parameters += count;
      }
      graphRest.push(field.raw);
    }
    limitItems(nodes.length + inputs.length + outputs.length + graphRest.length);
  }
  return { nodes, inputs, outputs, graphRest, constants, parameters };
}

function readNode(field: Field): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  let opType = '';
  let domain = '';
  for (const part of fieldsOf(messageOf(field))) {
    if (part.number === NODE.inputs) inputs.push(textOf(part));
    else if (part.number === NODE.outputs) outputs.push(textOf(part));
    else if (part.number === NODE.opType) opType = textOf(part);
    else if (part.number === NODE.domain) domain = textOf(part);
    else if (part.number === NODE.attributes) checkAttribute(messageOf(part), opType);
    limitItems(inputs.length + outputs.length);
  }
  return { inputs, outputs, opType, domain, raw: field.raw };
}

function checkAttribute(attribute: Uint8Array, opType: string): void {
  for (const field of fieldsOf(attribute)) {
    const { number } = field;
    const sparse = ATTRIBUTE.sparse.some((known) => known === number);
    if (number === ATTRIBUTE.graph || number === ATTRIBUTE.graphs || sparse) {
      throw unsupported(`graphs inside operators (${opType || 'an operator'})`);
    }
    if (number === ATTRIBUTE.tensor || number === ATTRIBUTE.tensors) checkTensor(messageOf(field));
  }
}

/** ValueInfoProto: name, then type → tensor → element type and shape. */
function readValue({ bytes, raw }: Field): OnnxValue {
  if (bytes === null) throw damaged('a number as input or output');
  let name = '';
  let type = 0;
  let shape: number[] | null = null;
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) name = textOf(field);
    if (field.number !== 2) continue;
    for (const kind of fieldsOf(messageOf(field))) {
      if (kind.number !== 1) continue;
      for (const part of fieldsOf(messageOf(kind))) {
        if (part.number === 1) type = part.value ?? 0;
        if (part.number === 2) shape = readShape(messageOf(part));
      }
    }
  }
  return { name, type, shape, raw };
}

function readShape(message: Uint8Array): number[] {
  const shape: number[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number !== 1) continue;
    let side = -1;
    for (const part of fieldsOf(messageOf(field))) {
      if (part.number === 1 && part.value !== null && part.value > 0) side = part.value;
    }
    shape.push(side);
    if (shape.length > MAX_RANK) throw damaged(`a value of more than ${MAX_RANK} dimensions`);
  }
  return shape;
}

/** Version of ONNX' own operators; 0 if this is another set's. */
function mainOpset(message: Uint8Array): number {
  let domain = '';
  let version = 0;
  for (const field of fieldsOf(message)) {
    if (field.number === 1) domain = textOf(field);
    if (field.number === 2) version = field.value ?? 0;
  }
  return domain === '' || domain === 'ai.onnx' ? version : 0;
}

function readMetadata(message: Uint8Array, metadata: Map<string, string>): void {
  let key = '';
  let value = '';
  for (const field of fieldsOf(message)) {
    if (field.bytes === null) continue;
    if (field.number === 1 && field.bytes.length <= 200) key = textOf(field);
    // What is too long to be about the picture is of no interest, but for the names of the classes.
    if (field.number !== 2) continue;
    if (field.bytes.length <= 200) value = textOf(field);
    else if (key === LABELS_KEY && field.bytes.length <= MAX_LABELS_BYTES) {
      value = new TextDecoder().decode(field.bytes);
    }
  }
  metadata.set(key, value);
}

function limitItems(count: number): void {
  if (count > MAX_ITEMS) throw tooLarge(`${MAX_ITEMS} operators and constants`, 'more');
}

function tooLarge(expected: string, found: string): Error {
  return codedError('MND_MODEL_TOO_LARGE', {
    subject: 'ONNX file',
    expected: `at most ${expected}`,
    found,
    next: 'take a smaller network',
  });
}

function unsupported(found: string): Error {
  return codedError('MND_MODEL_OPERATOR', {
    subject: 'ONNX file',
    expected: 'a plain graph of operators',
    found,
    next: 'simplify it: python3 -m onnxsim model.onnx simple.onnx',
  });
}
