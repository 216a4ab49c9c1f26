import { Builder } from 'flatbuffers';

const TENSOR_TYPE = { float32: 0, float16: 1, int32: 2, uint8: 3, int64: 4, int8: 9 } as const;

export interface TensorSpec {
  readonly name: string;
  readonly type: keyof typeof TENSOR_TYPE;
  readonly shape: readonly number[];
  readonly scale?: readonly number[];
  readonly zeroPoint?: readonly number[];
  readonly axis?: number;
  /** Values of a constant. */
  readonly data?: ArrayBufferView;
}

/** Settings of an operator: the number of its table in the union, and its fields by slot. */
export interface OptionsSpec {
  readonly union: number;
  readonly int8?: Readonly<Record<number, number>>;
  readonly int32?: Readonly<Record<number, number>>;
  readonly float32?: Readonly<Record<number, number>>;
}

export interface OperatorSpec {
  /** BuiltinOperator's number, or the name of a custom operator. */
  readonly code: number | string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options?: OptionsSpec;
  /** Settings of a custom operator. */
  readonly customOptions?: Uint8Array;
}

export interface ModelSpec {
  readonly tensors: readonly TensorSpec[];
  readonly operators: readonly OperatorSpec[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

const CUSTOM = 32;

function offsets(builder: Builder, items: readonly number[]): number {
  builder.startVector(4, items.length, 4);
  for (const item of items.toReversed()) builder.addOffset(item);
  return builder.endVector();
}

function int32s(builder: Builder, values: readonly number[]): number {
  builder.startVector(4, values.length, 4);
  for (const value of values.toReversed()) builder.addInt32(value);
  return builder.endVector();
}

/** A vector of bytes, aligned to 16 as TensorFlow Lite wants its buffers. */
function bytes(builder: Builder, values: Uint8Array): number {
  builder.prep(16, values.length);
  return builder.createByteVector(values);
}

function quantization(builder: Builder, tensor: TensorSpec): number {
  const { scale, zeroPoint, axis } = tensor;
  if (scale === undefined) return 0;
  builder.startVector(4, scale.length, 4);
  for (const value of scale.toReversed()) builder.addFloat32(value);
  const scales = builder.endVector();
  const zeros = zeroPoint ?? scale.map(() => 0);
  builder.startVector(8, zeros.length, 8);
  for (const value of zeros.toReversed()) builder.addInt64(BigInt(value));
  const zeroPoints = builder.endVector();
  builder.startObject(7);
  builder.addFieldOffset(2, scales, 0);
  builder.addFieldOffset(3, zeroPoints, 0);
  builder.addFieldInt32(6, axis ?? 0, 0);
  return builder.endObject();
}

function tensorTable(builder: Builder, tensor: TensorSpec, buffer: number): number {
  const name = builder.createString(tensor.name);
  const shape = int32s(builder, tensor.shape);
  const quantized = quantization(builder, tensor);
  builder.startObject(8);
  builder.addFieldOffset(0, shape, 0);
  builder.addFieldInt8(1, TENSOR_TYPE[tensor.type], 0);
  builder.addFieldInt32(2, buffer, 0);
  builder.addFieldOffset(3, name, 0);
  if (quantized !== 0) builder.addFieldOffset(4, quantized, 0);
  return builder.endObject();
}

function optionsTable(builder: Builder, options: OptionsSpec): number {
  builder.startObject(8);
  for (const [slot, value] of Object.entries(options.int8 ?? {})) {
    builder.addFieldInt8(Number(slot), value, 0);
  }
  for (const [slot, value] of Object.entries(options.int32 ?? {})) {
    builder.addFieldInt32(Number(slot), value, 0);
  }
  for (const [slot, value] of Object.entries(options.float32 ?? {})) {
    builder.addFieldFloat32(Number(slot), value, 0);
  }
  return builder.endObject();
}

function operatorTable(builder: Builder, operator: OperatorSpec, opcode: number): number {
  const inputs = int32s(builder, operator.inputs);
  const outputs = int32s(builder, operator.outputs);
  const options = operator.options === undefined ? 0 : optionsTable(builder, operator.options);
  const custom =
    operator.customOptions === undefined ? 0 : builder.createByteVector(operator.customOptions);
  builder.startObject(6);
  if (custom !== 0) builder.addFieldOffset(5, custom, 0);
  builder.addFieldInt32(0, opcode, 0);
  builder.addFieldOffset(1, inputs, 0);
  builder.addFieldOffset(2, outputs, 0);
  if (operator.options !== undefined) {
    builder.addFieldInt8(3, operator.options.union, 0);
    builder.addFieldOffset(4, options, 0);
  }
  return builder.endObject();
}

function operatorCode(builder: Builder, code: number | string): number {
  const custom = typeof code === 'string' ? builder.createString(code) : 0;
  const number = typeof code === 'string' ? CUSTOM : code;
  builder.startObject(4);
  builder.addFieldInt8(0, Math.min(number, 127), 0);
  if (custom !== 0) builder.addFieldOffset(1, custom, 0);
  builder.addFieldInt32(2, 1, 0);
  builder.addFieldInt32(3, number, 0);
  return builder.endObject();
}

function bufferTable(builder: Builder, data: ArrayBufferView | undefined): number {
  const values =
    data === undefined
      ? 0
      : bytes(builder, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  builder.startObject(1);
  if (values !== 0) builder.addFieldOffset(0, values, 0);
  return builder.endObject();
}

/** Writes a .tflite file (schema 3, one subgraph). Buffer 0 is empty, as in every such file. */
export function buildTflite(spec: ModelSpec): Uint8Array {
  const builder = new Builder(1024);
  // Tensors with the same array share a buffer.
  const constants = [...new Set(spec.tensors.flatMap(({ data }) => data ?? []))];
  const buffers = [undefined, ...constants].map((data) => bufferTable(builder, data));
  const tensors = spec.tensors.map((tensor) =>
    tensorTable(
      builder,
      tensor,
      tensor.data === undefined ? 0 : constants.indexOf(tensor.data) + 1,
    ),
  );
  const codes = [...new Set(spec.operators.map(({ code }) => code))];
  const operators = spec.operators.map((operator) =>
    operatorTable(builder, operator, codes.indexOf(operator.code)),
  );
  const operatorCodes = offsets(
    builder,
    codes.map((code) => operatorCode(builder, code)),
  );
  const subgraphFields = [
    offsets(builder, tensors),
    int32s(builder, spec.inputs),
    int32s(builder, spec.outputs),
    offsets(builder, operators),
  ];
  builder.startObject(5);
  for (const [slot, field] of subgraphFields.entries()) builder.addFieldOffset(slot, field, 0);
  const subgraphs = offsets(builder, [builder.endObject()]);
  const bufferVector = offsets(builder, buffers);
  builder.startObject(8);
  builder.addFieldInt32(0, 3, 0);
  builder.addFieldOffset(1, operatorCodes, 0);
  builder.addFieldOffset(2, subgraphs, 0);
  builder.addFieldOffset(4, bufferVector, 0);
  builder.finish(builder.endObject(), 'TFL3');
  return builder.asUint8Array();
}
