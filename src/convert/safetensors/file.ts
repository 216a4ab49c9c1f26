import { codedError, messageOf } from '../../errors.js';
import { halvesToFloat32 } from '../tflite/half.js';

/** A tensor of a safetensors file; real numbers as float32, whatever they were stored as. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int8Array;
}

export interface SafetensorsFile {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Longest header, bytes: a network has some hundred tensors. */
const MAX_HEADER = 4 * 1024 * 1024;
const MAX_DIMENSIONS = 8;
/** Bytes of a value, of the kinds that are read. */
const KINDS: ReadonlyMap<string, number> = new Map([
  ['F32', 4],
  ['F16', 2],
  ['I8', 1],
]);

/**
 * Reads a safetensors file (github.com/huggingface/safetensors, "Format"): the header's length in
 * eight bytes, a JSON header, then the values, little-endian and row-major.
 *
 * @throws MND_MODEL_TRUNCATED, MND_MODEL_INVALID, MND_MODEL_SHAPE for a kind of numbers that is not read
 */
export function parseSafetensors(file: Uint8Array): SafetensorsFile {
  // A Buffer's `slice` makes no copy, so a plain array of bytes is looked at.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const { header, start } = readHeader(bytes);
  const metadata = new Map<string, string>();
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of Object.entries(header)) {
    if (!isRecord(value)) throw invalid(`an object for ${name.slice(0, 100)}`, typeof value);
    if (name !== '__metadata__') {
      tensors.set(name, readTensor(name, value, bytes, start));
      continue;
    }
    for (const [key, text] of Object.entries(value)) {
      if (typeof text !== 'string') throw invalid('texts in __metadata__', typeof text);
      metadata.set(key, text);
    }
  }
  return { metadata, tensors };
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) throw truncated('8 bytes of length', bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER)
    throw invalid(`a header of at most ${MAX_HEADER} bytes`, `${length} bytes`);
  const start = 8 + length;
  if (bytes.length < start) throw truncated(`a header of ${length} bytes`, bytes.length - 8);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (error) {
    throw invalid('a JSON header', messageOf(error));
  }
  if (!isRecord(header)) throw invalid('a JSON object as header', typeof header);
  return { header, start };
}

function readTensor(
  name: string,
  { dtype, shape, data_offsets: offsets }: Record<string, unknown>,
  file: Uint8Array,
  start: number,
): StoredTensor {
  const subject = name.slice(0, 100);
  const width = typeof dtype === 'string' ? KINDS.get(dtype) : undefined;
  if (width === undefined) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: `tensor ${subject}`,
      expected: [...KINDS.keys()].join(', '),
      found: String(dtype).slice(0, 20),
    });
  }
  if (!isCounts(shape) || shape.length > MAX_DIMENSIONS)
    throw invalid(`a shape for ${subject}`, 'none');
  if (!isCounts(offsets) || offsets.length !== 2)
    throw invalid(`data_offsets for ${subject}`, 'none');
  const [from = 0, to = 0] = offsets;
  const expected = shape.reduce((product, side) => product * side, width);
  if (to - from !== expected)
    throw invalid(`${expected} bytes for ${subject}`, `${to - from} bytes`);
  if (start + to > file.length) throw truncated(`${start + to} bytes`, file.length);
  // A copy, for float32 must be aligned.
  const stored = file.slice(start + from, start + to);
  return { shape, data: valuesOf(String(dtype), stored) };
}

function valuesOf(kind: string, stored: Uint8Array): Float32Array | Int8Array {
  if (kind === 'I8') return new Int8Array(stored.buffer, 0, stored.length);
  if (kind === 'F16') return halvesToFloat32(stored);
  const view = new DataView(stored.buffer);
  return Float32Array.from({ length: stored.length / 4 }, (_, index) =>
    view.getFloat32(4 * index, true),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((side) => Number.isSafeInteger(side) && side >= 0);
}

function invalid(expected: string, found: string): Error {
  return codedError('MND_MODEL_INVALID', { subject: 'safetensors file', expected, found });
}

function truncated(expected: string, found: number): Error {
  return codedError('MND_MODEL_TRUNCATED', {
    subject: 'safetensors file',
    expected,
    found: `${found} bytes`,
  });
}
