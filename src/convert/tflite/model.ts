import { codedError } from '../../errors.js';
import { type FlatbufferReader, openFlatbuffer, type Table } from './flatbuffer.js';
import type { TfliteModel, TfliteOptions, TfliteTensor } from './model-types.js';
import {
  BUFFER,
  FILE_IDENTIFIER,
  MODEL,
  OPERATOR,
  OPERATOR_CODE_TABLE,
  OPERATOR_NAMES,
  QUANTIZATION,
  SUBGRAPH,
  TENSOR,
  TENSOR_TYPES,
  TYPE_SIZE,
} from './schema.js';
import { unpackHalfWeights, unpackRangedWeights } from './stored-weights.js';

/** Largest file that is read: eight times the largest model of the family. */
export const MAX_FILE_BYTES = 128 * 2 ** 20;

/** Most values one tensor may have. */
const MAX_ELEMENTS = 2 ** 26;

const MAX_RANK = 6;

function invalid(subject: string, expected: string, found: string): Error {
  return codedError('MND_MODEL_INVALID', { subject, expected, found });
}

function readOperatorNames(reader: FlatbufferReader, model: Table): string[] {
  return reader.tables(model, MODEL.operatorCodes).map((code) => {
    // Files older than schema 3a have only the deprecated field, newer ones both or the new one.
    const number = Math.max(
      reader.int8(code, OPERATOR_CODE_TABLE.deprecatedCode, 0),
      reader.int32(code, OPERATOR_CODE_TABLE.code, 0),
    );
    const name = OPERATOR_NAMES[number] ?? `builtin ${number}`;
    return name === 'CUSTOM' ? reader.string(code, OPERATOR_CODE_TABLE.customCode) || name : name;
  });
}

function readBuffers(reader: FlatbufferReader, model: Table): (Uint8Array | null)[] {
  return reader.tables(model, MODEL.buffers).map((buffer, index) => {
    if (reader.uint64(buffer, BUFFER.offset) > 1n) {
      throw invalid(`buffer ${index}`, 'data inside the flatbuffer', 'data behind its end');
    }
    const bytes = reader.bytes(buffer, BUFFER.data);
    return bytes === null || bytes.length === 0 ? null : bytes;
  });
}

function checkShape(subject: string, shape: readonly number[]): void {
  if (shape.length > MAX_RANK || shape.some((side) => side < 0)) {
    throw codedError('MND_MODEL_SHAPE', {
      subject,
      expected: `at most ${MAX_RANK} dimensions, none negative`,
      found: `[${shape.slice(0, MAX_RANK + 1).join(', ')}]`,
    });
  }
  if (shape.reduce((product, side) => product * side, 1) > MAX_ELEMENTS) {
    throw codedError('MND_MODEL_TOO_LARGE', {
      subject,
      expected: `at most ${MAX_ELEMENTS} values`,
      found: `[${shape.join(', ')}]`,
    });
  }
}

const ZERO_POINT_RANGE: Readonly<Record<string, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  int32: [0, 0],
};

function readQuantization(reader: FlatbufferReader, tensor: Table, subject: string, type: string) {
  const table = reader.table(tensor, TENSOR.quantization);
  const none = { scale: [], zeroPoint: [], axis: 0 };
  const range = ZERO_POINT_RANGE[type];
  if (table === null || range === undefined) return none;
  const scale = reader.float32s(table, QUANTIZATION.scale);
  if (scale.length === 0) return none;
  const given = reader.int64s(table, QUANTIZATION.zeroPoint);
  const zeroPoint = given.length === 0 ? scale.map(() => 0) : given;
  const badScale = scale.find((value) => !(value > 0 && Number.isFinite(value)));
  if (badScale !== undefined) throw invalid(subject, 'scales above 0', `${badScale}`);
  if (zeroPoint.length !== scale.length) {
    throw invalid(subject, `${scale.length} zero points`, `${zeroPoint.length}`);
  }
  const badZero = zeroPoint.find((value) => value < range[0] || value > range[1]);
  if (badZero !== undefined) {
    throw invalid(subject, `zero points from ${range[0]} to ${range[1]}`, `${badZero}`);
  }
  return { scale, zeroPoint, axis: reader.int32(table, QUANTIZATION.axis, 0) };
}

function readTensor(
  reader: FlatbufferReader,
  table: Table,
  index: number,
  buffers: readonly (Uint8Array | null)[],
): TfliteTensor {
  const name = reader.string(table, TENSOR.name);
  const subject = `tensor ${index} (${name})`;
  const typeNumber = reader.int8(table, TENSOR.type, 0);
  const type = TENSOR_TYPES[typeNumber] ?? `type ${typeNumber}`;
  const shape = reader.int32s(table, TENSOR.shape);
  checkShape(subject, shape);
  const bufferIndex = reader.uint32(table, TENSOR.buffer, 0);
  const bytes = buffers[bufferIndex];
  if (bytes === undefined) {
    throw invalid(subject, `a buffer below ${buffers.length}`, `${bufferIndex}`);
  }
  const elementSize = TYPE_SIZE[type];
  if (bytes !== null && elementSize !== undefined) {
    const expected = shape.reduce((product, side) => product * side, elementSize);
    if (bytes.length !== expected) {
      throw invalid(subject, `${expected} bytes of values`, `${bytes.length}`);
    }
  }
  return { index, name, type, shape, ...readQuantization(reader, table, subject, type), bytes };
}

function readOptions(reader: FlatbufferReader, operator: Table): TfliteOptions {
  const table = reader.table(operator, OPERATOR.options);
  if (table === null) {
    return { int8: (_, value) => value, int32: (_, value) => value, float32: (_, value) => value };
  }
  return {
    int8: (field, fallback) => reader.int8(table, field, fallback),
    int32: (field, fallback) => reader.int32(table, field, fallback),
    float32: (field, fallback) => reader.float32(table, field, fallback),
  };
}

function checkIndices(subject: string, indices: readonly number[], limit: number, low: number) {
  const bad = indices.find((index) => index < low || index >= limit);
  if (bad !== undefined) throw invalid(subject, `tensors below ${limit}`, `tensor ${bad}`);
}

/** Weights shared by many tensors would be copied for each of them. */
function checkSharing(tensors: readonly TfliteTensor[], fileBytes: number): void {
  const total = tensors.reduce((sum, tensor) => sum + (tensor.bytes?.length ?? 0), 0);
  if (total > 2 * fileBytes) {
    throw invalid(
      'TFLite file',
      'constants no larger than the file',
      `${total} bytes of constants`,
    );
  }
}

/**
 * Parses a .tflite file: one subgraph, its tensors and operators, all indices checked. Constants stay
 * views into `file`, but for float16 weights, which become float32.
 *
 * Throws MND_MODEL_TOO_LARGE, MND_MODEL_TRUNCATED, MND_MODEL_INVALID or MND_MODEL_SHAPE.
 */
export function parseTflite(file: Uint8Array): TfliteModel {
  if (file.length > MAX_FILE_BYTES) {
    throw codedError('MND_MODEL_TOO_LARGE', {
      subject: 'TFLite file',
      expected: `at most ${MAX_FILE_BYTES} bytes`,
      found: `${file.length}`,
    });
  }
  const reader = openFlatbuffer(file, FILE_IDENTIFIER);
  const model = reader.root();
  const names = readOperatorNames(reader, model);
  const buffers = readBuffers(reader, model);
  const subgraphs = reader.tables(model, MODEL.subgraphs);
  const [subgraph] = subgraphs;
  if (subgraph === undefined || subgraphs.length !== 1) {
    throw invalid('TFLite file', 'one subgraph', `${subgraphs.length}`);
  }
  const tensors = reader
    .tables(subgraph, SUBGRAPH.tensors)
    .map((table, index) => readTensor(reader, table, index, buffers));
  checkSharing(tensors, file.length);
  const operators = reader.tables(subgraph, SUBGRAPH.operators).map((table, index) => {
    const opcode = reader.uint32(table, OPERATOR.opcode, 0);
    const name = names[opcode];
    if (name === undefined) {
      throw invalid(`operator ${index}`, `an operator code below ${names.length}`, `${opcode}`);
    }
    const inputs = reader.int32s(table, OPERATOR.inputs);
    const outputs = reader.int32s(table, OPERATOR.outputs);
    checkIndices(`operator ${index} (${name})`, inputs, tensors.length, -1);
    checkIndices(`operator ${index} (${name})`, outputs, tensors.length, 0);
    const customOptions = reader.bytes(table, OPERATOR.customOptions);
    return { index, name, inputs, outputs, options: readOptions(reader, table), customOptions };
  });
  const inputs = reader.int32s(subgraph, SUBGRAPH.inputs);
  const outputs = reader.int32s(subgraph, SUBGRAPH.outputs);
  checkIndices('the inputs', inputs, tensors.length, 0);
  checkIndices('the outputs', outputs, tensors.length, 0);
  const whole = unpackHalfWeights({ tensors, operators, inputs, outputs }, file.length);
  return unpackRangedWeights(whole, file.length);
}
