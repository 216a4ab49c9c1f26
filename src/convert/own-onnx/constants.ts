import { fieldsOf, messageOf, numbersOf, textOf } from './fields.js';
import type { OnnxFile } from './parse.js';

/** Fields of TensorProto, and of the node that holds one. */
const TENSOR = { dataType: 2, floats: 4, int32s: 5, raw: 9, int64s: 7 } as const;
const ATTRIBUTES = 5;
const ATTRIBUTE_TENSOR = 5;
const OUTPUTS = 2;
const FLOAT = 1;
const UINT8 = 2;
/** TensorProto.DataType of signed bytes. */
export const INT8 = 3;
const INT64 = 7;
const MOST = 64;

/**
 * The numbers of a small constant, that is stored by itself or in a Constant node; null for one that is
 * computed, large, or of another type than float32, int64, uint8 and int8.
 */
export function constantValues(file: OnnxFile, name: string): readonly number[] | null {
  return constantNumbers(file, name)?.values ?? null;
}

/** A small constant's numbers, and its type as TensorProto.DataType. */
export interface ConstantNumbers {
  readonly type: number;
  readonly values: readonly number[];
}

/** The same with its type. */
export function constantNumbers(file: OnnxFile, name: string): ConstantNumbers | null {
  const stored = file.constants.get(name);
  if (stored !== undefined) return numbersIn(stored);
  const node = file.nodes.find(
    ({ opType, outputs }) => opType === 'Constant' && outputs[0] === name,
  );
  if (node === undefined) return null;
  // The node's own field of the graph holds the message of the node.
  for (const outer of fieldsOf(node.raw)) {
    for (const part of fieldsOf(messageOf(outer))) {
      if (part.number === OUTPUTS && textOf(part) !== name) return null;
      if (part.number !== ATTRIBUTES) continue;
      for (const field of fieldsOf(messageOf(part))) {
        if (field.number === ATTRIBUTE_TENSOR) return numbersIn(messageOf(field));
      }
    }
  }
  return null;
}

function numbersIn(tensor: Uint8Array): ConstantNumbers | null {
  const { type, values } = partsOf(tensor);
  return values === null ? null : { type, values };
}

function partsOf(tensor: Uint8Array): { type: number; values: readonly number[] | null } {
  let type = 0;
  const values: number[] = [];
  let raw: Uint8Array | null = null;
  for (const field of fieldsOf(tensor)) {
    if (field.number === TENSOR.dataType) type = field.value ?? 0;
    if (field.number === TENSOR.raw) raw = field.bytes;
    if (field.number === TENSOR.int64s || field.number === TENSOR.int32s) {
      values.push(...numbersOf(field, MOST));
    }
    if (field.number !== TENSOR.floats) continue;
    if (field.bytes !== null) values.push(...floatsIn(field.bytes));
    else if (field.value !== null) values.push(...floatsIn(bytesOf(field.value)));
    if (values.length > MOST) return { type, values: null };
  }
  if (raw === null) {
    return { type, values: [FLOAT, UINT8, INT8, INT64].includes(type) ? values : null };
  }
  return { type, values: rawNumbers(raw, type) };
}

function rawNumbers(raw: Uint8Array, type: number): readonly number[] | null {
  if (type === UINT8) return raw.length <= MOST ? [...raw] : null;
  if (type === INT8) return raw.length <= MOST ? [...Int8Array.from(raw)] : null;
  if (type === FLOAT) return raw.length <= 4 * MOST ? floatsIn(raw) : null;
  if (type !== INT64 || raw.length > 8 * MOST) return null;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.length >> 3 }, (_, at) => Number(view.getBigInt64(8 * at, true)));
}

function floatsIn(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >> 2 }, (_, at) => view.getFloat32(4 * at, true));
}

function bytesOf(bits: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(bits).buffer);
}
