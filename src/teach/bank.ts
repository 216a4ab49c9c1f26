import { codedError } from '../errors.js';

/**
 * A bank of embeddings of unrelated pictures, as a file: a line of JSON, then one byte a value, embedding
 * after embedding. Value = scale · byte, each embedding with a scale of its own: an embedding behind ReLU
 * is never negative.
 */
export interface BankHeader {
  readonly format: 'mobilenetd-bank';
  readonly version: 1;
  /** Name of the variant that made them, and the sha256 of the ONNX file. */
  readonly variant: string;
  readonly dimension: number;
  readonly count: number;
  readonly scales: readonly number[];
}

const NEWLINE = 10;

/** @throws MND_TEACH_INVALID for a file that is damaged or of another kind */
export function negativeBank(bytes: Uint8Array): Float32Array[] {
  const { dimension, scales, at } = readHeader(bytes);
  return scales.map((scale, index) => {
    const start = at + index * dimension;
    return Float32Array.from(bytes.subarray(start, start + dimension), (value) => value * scale);
  });
}

/** The bank's bytes; values below 0 become 0. */
export function encodeBank(variant: string, embeddings: readonly Float32Array[]): Uint8Array {
  const dimension = embeddings[0]?.length ?? 0;
  const scales = embeddings.map((embedding) => {
    const largest = embedding.reduce((most, value) => Math.max(most, value), 0);
    return Number((largest / 255 || 1).toPrecision(6));
  });
  const header: BankHeader = {
    format: 'mobilenetd-bank',
    version: 1,
    variant,
    dimension,
    count: embeddings.length,
    scales,
  };
  const line = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
  const bytes = new Uint8Array(line.length + dimension * embeddings.length);
  bytes.set(line);
  for (const [index, embedding] of embeddings.entries()) {
    const scale = scales[index] as number;
    const stored = embedding.map((value) => Math.min(255, Math.max(0, Math.round(value / scale))));
    bytes.set(stored, line.length + index * dimension);
  }
  return bytes;
}

function readHeader(bytes: Uint8Array) {
  const end = bytes.indexOf(NEWLINE);
  let header: Partial<BankHeader> | null = null;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, Math.max(0, end))));
  } catch {
    // Told below, with everything else that may be wrong.
  }
  const { format, version, dimension, count, scales } = header ?? {};
  const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && value !== 0;
  const fits =
    format === 'mobilenetd-bank' &&
    version === 1 &&
    isWhole(dimension) &&
    Array.isArray(scales) &&
    scales.length === count &&
    scales.every((scale) => Number.isFinite(scale) && scale > 0) &&
    bytes.length === end + 1 + dimension * scales.length;
  if (!fits) {
    throw codedError('MND_TEACH_INVALID', {
      subject: 'bank of unrelated embeddings',
      expected: 'a whole bank of version 1',
      found: `${bytes.length} bytes`,
      next: 'install mobilenetd again',
    });
  }
  return { dimension: dimension as number, scales: scales as readonly number[], at: end + 1 };
}
