import protobuf from 'protobufjs/light.js';

const DELIMITED = 2;

const tag = (field: number, wire: number) => ((field << 3) | wire) >>> 0;

/** Field numbers of GraphProto. */
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const;

/** AttributeProto.AttributeType */
const INT = 2;
const INTS = 7;

export interface EncodedNode {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly ints?: Readonly<Record<string, readonly number[]>>;
  readonly int?: Readonly<Record<string, number>>;
}

/** Writes a message as a field of a graph. */
export function graphField(
  writer: protobuf.Writer,
  field: keyof typeof GRAPH,
  message: Uint8Array,
): void {
  writer.uint32(tag(GRAPH[field], DELIMITED)).bytes(message);
}

/** NodeProto */
export function encodeNode(node: EncodedNode): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const input of node.inputs) writer.uint32(tag(1, DELIMITED)).string(input);
  writer.uint32(tag(2, DELIMITED)).string(node.output);
  writer.uint32(tag(4, DELIMITED)).string(node.opType);
  for (const [name, value] of Object.entries(node.int ?? {})) {
    const attribute = protobuf.Writer.create();
    attribute.uint32(tag(1, DELIMITED)).string(name);
    attribute.uint32(tag(3, 0)).int64(value).uint32(tag(20, 0)).int32(INT);
    writer.uint32(tag(5, DELIMITED)).bytes(attribute.finish());
  }
  for (const [name, values] of Object.entries(node.ints ?? {})) {
    const attribute = protobuf.Writer.create();
    attribute.uint32(tag(1, DELIMITED)).string(name);
    for (const value of values) attribute.uint32(tag(8, 0)).int64(value);
    attribute.uint32(tag(20, 0)).int32(INTS);
    writer.uint32(tag(5, DELIMITED)).bytes(attribute.finish());
  }
  return writer.finish();
}

export interface EncodedTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

/** TensorProto with raw little-endian values. */
export function encodeTensor({ name, dims, values }: EncodedTensor): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const side of dims) writer.uint32(tag(1, 0)).int64(side);
  writer.uint32(tag(2, 0)).int32(values instanceof Float32Array ? 1 : 7);
  writer.uint32(tag(8, DELIMITED)).string(name);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  writer.uint32(tag(9, DELIMITED)).bytes(bytes);
  return writer.finish();
}

/** A message as a field of another. */
export function encodeField(number: number, message: Uint8Array): Uint8Array {
  return protobuf.Writer.create().uint32(tag(number, DELIMITED)).bytes(message).finish();
}

/** TensorProto of values as they lie in memory; `type` as TensorProto.DataType. */
export function encodeRawTensor(
  name: string,
  type: number,
  dims: readonly number[],
  bytes: Uint8Array,
): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const side of dims) writer.uint32(tag(1, 0)).int64(side);
  writer.uint32(tag(2, 0)).int32(type);
  writer.uint32(tag(8, DELIMITED)).string(name);
  writer.uint32(tag(9, DELIMITED)).bytes(bytes);
  return writer.finish();
}

/** ValueInfoProto of a tensor; null for a shape that only a run tells. */
export function encodeValue(
  name: string,
  type: number,
  dims: readonly number[] | null,
): Uint8Array {
  const shape = protobuf.Writer.create();
  for (const side of dims ?? []) {
    const dimension = protobuf.Writer.create().uint32(tag(1, 0)).int64(side).finish();
    shape.uint32(tag(1, DELIMITED)).bytes(dimension);
  }
  const tensor = protobuf.Writer.create().uint32(tag(1, 0)).int32(type);
  if (dims !== null) tensor.uint32(tag(2, DELIMITED)).bytes(shape.finish());
  const outer = protobuf.Writer.create().uint32(tag(1, DELIMITED)).bytes(tensor.finish());
  const value = protobuf.Writer.create().uint32(tag(1, DELIMITED)).string(name);
  return value.uint32(tag(2, DELIMITED)).bytes(outer.finish()).finish();
}
