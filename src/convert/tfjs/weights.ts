import { codedError } from '../../errors.js';
import { halvesToFloat32 } from '../tflite/half.js';
import { quote } from './json.js';
import type { StoredWeights, WeightEntry } from './weights-manifest.js';

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
export function openWeights(model: StoredWeights, shards: readonly Uint8Array[]): ConstantReader {
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

function splitIntoGroups(model: StoredWeights, shards: readonly Uint8Array[]) {
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
  const values = valuesOf(entry, bytes);
  if (values instanceof Int32Array) return { shape: entry.shape, values };
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

/** Values out of their bytes, little-endian; those in fewer bits as tfjs-core's decodeWeights has them. */
function valuesOf({ dtype, stored, scale, min }: WeightEntry, bytes: Uint8Array<ArrayBuffer>) {
  switch (stored) {
    case 'bool':
      return Int32Array.from(bytes);
    case 'int32':
      return new Int32Array(bytes.buffer);
    case 'float32':
      return new Float32Array(bytes.buffer);
    case 'float16':
      return Float32Array.from(halvesToFloat32(bytes));
    default: {
      const steps = stored === 'uint8' ? bytes : new Uint16Array(bytes.buffer);
      if (dtype === 'int32')
        return Int32Array.from(steps, (step) => Math.round(step * scale + min));
      return Float32Array.from(steps, (step) => step * scale + min);
    }
  }
}
