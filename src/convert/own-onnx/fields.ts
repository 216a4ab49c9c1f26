import protobuf from 'protobufjs/light.js';
import { codedError, isCodedError, messageOf as messageOfError } from '../../errors.js';

/** One field of a protobuf message; `bytes` is a view. Numbers of 64 bits are read as doubles. */
export interface Field {
  readonly number: number;
  readonly value: number | null;
  readonly bytes: Uint8Array | null;
  /** The field as it stands in the message, tag included. */
  readonly raw: Uint8Array;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

export function damaged(found: string): Error {
  return codedError('MND_MODEL_INVALID', {
    subject: 'ONNX file',
    expected: 'an ONNX model',
    found,
    next: 'fetch it again, or export it anew',
  });
}

/**
 * Walks over the fields of an untrusted message without copying anything: what is in them is not
 * decoded before somebody asks, so that a small file cannot become many objects.
 *
 * @throws MND_MODEL_TRUNCATED, MND_MODEL_INVALID
 */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  const reader = protobuf.Reader.create(message);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    yield readField(reader, message, start);
  }
}

function readField(reader: protobuf.Reader, message: Uint8Array, start: number): Field {
  let number: number;
  let value: number | null = null;
  let bytes: Uint8Array | null = null;
  try {
    const tag = reader.uint32();
    number = tag >>> 3;
    const wire = tag & 7;
    if (wire === VARINT) value = numberOf(reader.int64());
    else if (wire === FIXED64) value = numberOf(reader.fixed64());
    else if (wire === FIXED32) value = reader.fixed32();
    else if (wire === LENGTH_DELIMITED) bytes = lengthDelimited(reader, message);
    else throw damaged(`a field of wire type ${wire}`);
  } catch (error) {
    if (isCodedError(error)) throw error;
    if (error instanceof RangeError) {
      throw codedError('MND_MODEL_TRUNCATED', { subject: 'ONNX file', next: 'fetch it again' });
    }
    // What the reader says of a number that does not end.
    throw damaged(messageOfError(error));
  }
  if (number === 0) throw damaged('a field without a number');
  return { number, value, bytes, raw: message.subarray(start, reader.pos) };
}

function lengthDelimited(reader: protobuf.Reader, message: Uint8Array): Uint8Array {
  const length = reader.uint32();
  const start = reader.pos;
  if (length > reader.len - start) throw new RangeError('behind the end');
  reader.pos = start + length;
  return message.subarray(start, start + length);
}

function numberOf(value: number | protobuf.Long): number {
  return typeof value === 'number' ? value : value.high * 2 ** 32 + (value.low >>> 0);
}

const DECODER = new TextDecoder();

/** Longest name that is read, bytes: converters join those of all operators that they fuse. */
const NAME_LIMIT = 4000;

/** @throws MND_MODEL_INVALID for anything that is no string, or too long to be a name */
export function textOf({ number, bytes }: Field): string {
  if (bytes === null) throw damaged(`a number where field ${number} has text`);
  if (bytes.length > NAME_LIMIT) throw damaged(`a name of ${bytes.length} bytes`);
  return DECODER.decode(bytes);
}

/** @throws MND_MODEL_INVALID for anything that is no message */
export function messageOf({ number, bytes }: Field): Uint8Array {
  if (bytes === null) throw damaged(`a number where field ${number} has a message`);
  return bytes;
}

/** Numbers of a repeated field, packed or not; at most `limit` of them. */
export function* numbersOf({ value, bytes }: Field, limit: number): Generator<number> {
  if (value !== null) yield value;
  if (bytes === null) return;
  const reader = protobuf.Reader.create(bytes);
  for (let count = 0; reader.pos < reader.len; count += 1) {
    if (count === limit) throw damaged(`more than ${limit} numbers in a row`);
    try {
      yield numberOf(reader.int64());
    } catch {
      throw damaged('a number that does not end');
    }
  }
}
