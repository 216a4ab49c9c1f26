import protobuf from 'protobufjs/light.js';
import {
  type EncodedNode,
  type EncodedTensor,
  encodeNode,
  encodeTensor,
  encodeValue,
  graphField,
} from './encode.js';
import type { NetworkEnd } from './end.js';
import type { OnnxFile } from './parse.js';
import type { OnnxPicture } from './picture.js';

/** ITU-R BT.601 luma of red, green and blue. */
const LUMA = Float32Array.of(0.299, 0.587, 0.114);

/** TensorProto.DataType */
const FLOAT = 1;
const UINT8 = 2;
const FLOAT16 = 10;

export interface Wrapping {
  /** Name of the new input; no value of the network has it, or begins with it and a colon. */
  readonly input: string;
  /** Where the network ends. */
  readonly end: Pick<NetworkEnd, 'name' | 'classes' | 'stored'>;
  /** Name of the new output, [1, classes]. */
  readonly output: string;
  /** A value of the network that comes out as well, under this name, as one row of real numbers. */
  readonly beside?: { readonly name: string; readonly output: string };
}

/** A file in which a uint8 picture goes into the network and its logits come out. */
export function wrapNetwork(
  file: OnnxFile,
  picture: OnnxPicture,
  { input, end, output, beside }: Wrapping,
): Uint8Array {
  const { classes, stored } = end;
  const shape = `${output}:shape`;
  const tensor = { name: shape, dims: [2], values: BigInt64Array.of(1n, BigInt(classes)) };
  const after = protobuf.Writer.create();
  const add = (node: EncodedNode) => graphField(after, 'node', encodeNode(node));
  const addRow = (name: string, row: string) => {
    // Networks with numbers of half the width have them to their end.
    const real = `${row}:real`;
    add({ opType: 'Cast', inputs: [name], output: real, int: { to: FLOAT } });
    add({ opType: 'Reshape', inputs: [real, shape], output: row });
    graphField(after, 'output', encodeValue(row, FLOAT, [1, classes]));
  };
  let logits = end.name;
  if (stored !== null) {
    const inputs = [logits, stored.scale, stored.zeroPoint].filter((name) => name !== '');
    logits = `${output}:restored`;
    add({ opType: 'DequantizeLinear', inputs, output: logits });
  }
  addRow(logits, output);
  if (beside !== undefined) addRow(beside.name, beside.output);
  return assemble(file, picture, input, [tensor], after);
}

/** A constant that stands for an input of the network. */
export type FixedInput = EncodedTensor;

/**
 * A file in which a uint8 picture goes into a network and all its outputs come out as real numbers.
 *
 * @param outputs their names in the file, and the new ones
 * @param fixed what its other inputs are
 */
export function wrapDetector(
  file: OnnxFile,
  picture: OnnxPicture,
  input: string,
  outputs: ReadonlyMap<string, string>,
  fixed: readonly FixedInput[],
): Uint8Array {
  const after = protobuf.Writer.create();
  for (const [name, output] of outputs) {
    const cast = { opType: 'Cast', inputs: [name], output, int: { to: FLOAT } };
    graphField(after, 'node', encodeNode(cast));
    graphField(after, 'output', encodeValue(output, FLOAT, null));
  }
  return assemble(file, picture, input, fixed, after);
}

/** The network's own parts between what is in front of it and what is behind it. */
function assemble(
  file: OnnxFile,
  picture: OnnxPicture,
  input: string,
  constants: readonly EncodedTensor[],
  after: protobuf.Writer,
): Uint8Array {
  const { nodes, tensors } = preprocessing(picture, input);
  const before = protobuf.Writer.create();
  for (const node of nodes) graphField(before, 'node', encodeNode(node));
  for (const tensor of [...tensors, ...constants]) {
    graphField(after, 'initializer', encodeTensor(tensor));
  }
  const [height, width] = picture.sides;
  graphField(after, 'input', encodeValue(input, UINT8, [1, height, width, 3]));
  // Old files list their constants among the inputs.
  const listed = file.inputs.filter(({ name }) => file.constants.has(name));
  const parts = [
    before.finish(),
    ...file.nodes.map(({ raw }) => raw),
    ...file.graphRest,
    ...listed.map(({ raw }) => raw),
    after.finish(),
  ];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = protobuf.Writer.create().uint32(GRAPH_TAG).uint32(length).finish();
  return concatenate([...file.modelRest, head, ...parts]);
}

/** ModelProto.graph, length-delimited. */
const GRAPH_TAG = (7 << 3) | 2;

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Operators from the uint8 picture, NHWC, to the network's input. */
function preprocessing(picture: OnnxPicture, input: string) {
  const nodes: EncodedNode[] = [];
  const tensors: EncodedTensor[] = [];
  const { channels, planar, type, scaling } = picture;
  let value = input;
  const apply = (
    opType: string,
    more: readonly string[] = [],
    attributes: Partial<EncodedNode> = {},
  ) => {
    const output = `${input}:${nodes.length}`;
    nodes.push({ opType, inputs: [value, ...more], output, ...attributes });
    value = output;
  };
  const constant = (name: string, dims: readonly number[], values: EncodedTensor['values']) => {
    tensors.push({ name: `${input}:${name}`, dims, values });
    return `${input}:${name}`;
  };
  if (picture.reversed && channels === 3) {
    apply('Gather', [constant('order', [3], BigInt64Array.of(2n, 1n, 0n))], { int: { axis: 3 } });
  }
  const convert = type !== 'uint8' || channels === 1 || scaling !== null;
  if (convert) apply('Cast', [], { int: { to: FLOAT } });
  if (channels === 1 || planar) apply('Transpose', [], { ints: { perm: [0, 3, 1, 2] } });
  if (channels === 1) apply('Conv', [constant('luma', [1, 3, 1, 1], LUMA)]);
  if (scaling !== null) {
    const dims = (count: number) => (planar || channels === 1 ? [count, 1, 1] : [count]);
    const numbers = (name: string, values: readonly number[]) =>
      constant(name, dims(values.length), Float32Array.from(values));
    apply('Sub', [numbers('mean', scaling.mean)]);
    apply('Mul', [numbers('scale', scaling.scale)]);
  }
  if (channels === 1 && !planar) apply('Transpose', [], { ints: { perm: [0, 2, 3, 1] } });
  if (picture.stored !== null) {
    const { scale, zeroPoint } = picture.stored;
    apply('QuantizeLinear', zeroPoint === '' ? [scale] : [scale, zeroPoint]);
  } else if (type === 'float16') {
    apply('Cast', [], { int: { to: FLOAT16 } });
  } else if (convert && type === 'uint8') {
    // Cast cuts off, so halves are added for rounding.
    apply('Add', [constant('half', [1], Float32Array.of(0.5))]);
    apply('Cast', [], { int: { to: UINT8 } });
  }
  nodes.push({ opType: 'Identity', inputs: [value], output: picture.input.name });
  return { nodes, tensors };
}
