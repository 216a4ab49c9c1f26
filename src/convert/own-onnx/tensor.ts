import { codedError } from '../../errors.js';
import { damaged, fieldsOf, numbersOf, textOf } from './fields.js';

/** Field numbers of TensorProto (onnx.proto, IR version 8). */
const TENSOR = {
  dims: 1,
  dataType: 2,
  name: 8,
  rawData: 9,
  externalData: 13,
  dataLocation: 14,
} as const;

/** Fields that hold values one by one, by the bytes that one takes at least. */
const TYPED_DATA: Readonly<Record<number, number>> = { 4: 4, 5: 1, 6: 1, 7: 1, 10: 8, 11: 1 };

/** Bytes of a value in raw data, by TensorProto.DataType. */
const TYPE_SIZE: Readonly<Record<number, number>> = {
  1: 4, // float
  2: 1, // uint8
  3: 1, // int8
  4: 2, // uint16
  5: 2, // int16
  6: 4, // int32
  7: 8, // int64
  9: 1, // bool
  10: 2, // float16
  11: 8, // double
  12: 4, // uint32
  13: 8, // uint64
  16: 2, // bfloat16
};

const MAX_VALUES = 2 ** 26;
const MAX_RANK = 8;

export interface TensorSummary {
  readonly name: string;
  /** Number of values. */
  readonly count: number;
}

/**
 * Checks a tensor that is stored in an ONNX file: its values are in the file and are as many as its
 * shape says.
 *
 * @throws MND_MODEL_INVALID, MND_MODEL_TRUNCATED, MND_MODEL_TOO_LARGE
 */
export function checkTensor(message: Uint8Array): TensorSummary {
  const dims: number[] = [];
  let name = '';
  let type = 0;
  let rawBytes: number | null = null;
  let typedBytes = 0;
  let leastSize = 1;
  for (const field of fieldsOf(message)) {
    const least = TYPED_DATA[field.number];
    if (field.number === TENSOR.dims) dims.push(...numbersOf(field, MAX_RANK));
    else if (field.number === TENSOR.dataType) type = field.value ?? 0;
    else if (field.number === TENSOR.name) name = textOf(field);
    else if (field.number === TENSOR.rawData) rawBytes = field.bytes?.length ?? 0;
    else if (
      field.number === TENSOR.externalData ||
      (field.number === TENSOR.dataLocation && field.value !== 0)
    ) {
      throw codedError('MND_MODEL_INVALID', {
        subject: `tensor "${name}"`,
        expected: 'values in the file itself',
        found: 'values in another file',
        next: 'save the model without external data',
      });
    } else if (least !== undefined) {
      typedBytes += field.bytes?.length ?? 8;
      leastSize = least;
    }
    if (dims.length > MAX_RANK) throw damaged(`a tensor of more than ${MAX_RANK} dimensions`);
  }
  if (dims.some((side) => !Number.isSafeInteger(side) || side < 0)) {
    throw damaged(`a tensor of shape [${dims.join(', ')}]`);
  }
  const count = dims.reduce((product, side) => product * side, 1);
  if (count > MAX_VALUES) {
    throw codedError('MND_MODEL_TOO_LARGE', {
      subject: `tensor "${name}"`,
      expected: `at most ${MAX_VALUES} values`,
      found: `[${dims.join(', ')}]`,
      next: 'take a smaller network',
    });
  }
  const size = TYPE_SIZE[type];
  if (size === undefined) throw damaged(`tensor "${name}" of data type ${type}`);
  const whole = rawBytes === null ? typedBytes >= count * leastSize : rawBytes === count * size;
  if (!whole) throw damaged(`${rawBytes ?? typedBytes} bytes for ${count} values of "${name}"`);
  return { name, count };
}
