import { codedError } from '../../errors.js';
import { type GraphModel, quote, type WeightEntry } from './manifest.js';

/** A constant of the model. float32 values are finite. */
export interface Constant {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

/** Reads constants out of the shards by name; undefined if there is none of this name. */
export type ConstantReader = (name: string) => Constant | undefined;

/**
 * Checks the shards against the manifest and returns a reader that copies one tensor at a time (a
 * tensor may cross a shard's end, and its bytes need not be aligned). Values are little-endian.
 *
 * @throws MND_MODEL_TRUNCATED if bytes are missing, MND_MODEL_INVALID if there are too many
 */
export function openWeights(model: GraphModel, shards: readonly Uint8Array[]): ConstantReader {
  const groups = splitIntoGroups(model, shards);
  const cache = new Map<string, Constant>();
  return (name) => {
    const known = cache.get(name);
    if (known !== undefined) return known;
    const entry = model.weights.get(name);
    if (entry === undefined) return undefined;
    const constant = readConstant(name, entry, groups[entry.group] ?? []);
    // Large tensors are used once; small ones (shared scalars and vectors) are worth keeping.
    if (constant.values.length <= 4096) cache.set(name, constant);
    return constant;
  };
}

function splitIntoGroups(model: GraphModel, shards: readonly Uint8Array[]) {
  const expected = model.groups.reduce((sum, group) => sum + group.shards, 0);
  if (shards.length !== expected) {
    throw codedError(shards.length < expected ? 'MND_MODEL_TRUNCATED' : 'MND_MODEL_INVALID', {
      subject: 'weight shards',
      expected: `${expected} files`,
      found: `${shards.length}`,
    });
  }
  let next = 0;
  return model.groups.map((group, index) => {
    const own = shards.slice(next, next + group.shards);
    next += group.shards;
    const found = own.reduce((sum, shard) => sum + shard.byteLength, 0);
    if (found !== group.byteLength) {
      throw codedError(found < group.byteLength ? 'MND_MODEL_TRUNCATED' : 'MND_MODEL_INVALID', {
        subject: `shards of weight group ${index + 1}`,
        expected: `${group.byteLength} bytes`,
        found: `${found}`,
      });
    }
    return own;
  });
}

function readConstant(name: string, entry: WeightEntry, shards: readonly Uint8Array[]): Constant {
  const bytes = new Uint8Array(entry.byteLength);
  let position = 0;
  let shardStart = 0;
  for (const shard of shards) {
    const from = Math.max(entry.offset + position - shardStart, 0);
    if (position < bytes.length && from < shard.byteLength) {
      const part = shard.subarray(from, from + bytes.length - position);
      bytes.set(part, position);
      position += part.length;
    }
    shardStart += shard.byteLength;
  }
  if (entry.dtype === 'bool') return { shape: entry.shape, values: Int32Array.from(bytes) };
  if (entry.dtype === 'int32') {
    return { shape: entry.shape, values: new Int32Array(bytes.buffer) };
  }
  const values = new Float32Array(bytes.buffer);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw codedError('MND_MODEL_INVALID', {
      subject: `weight ${quote(name)}`,
      expected: 'finite numbers',
      found: `${values[bad]} at index ${bad}`,
    });
  }
  return { shape: entry.shape, values };
}
