import { codedError } from '../../errors.js';
import { asArray, asRecord, asString, invalid, own, quote } from './json.js';

/** Where the tensors of a model lie in its shards. */
export interface StoredWeights {
  readonly weights: ReadonlyMap<string, WeightEntry>;
  /** Bytes that each shard group holds, in the order of the manifest. */
  readonly groups: readonly { readonly shards: number; readonly byteLength: number }[];
}

export interface WeightEntry {
  readonly dtype: 'float32' | 'int32' | 'bool';
  /** How its values lie in the shards: value = scale · stored + min. */
  readonly stored: 'float32' | 'int32' | 'bool' | 'uint8' | 'uint16' | 'float16';
  readonly scale: number;
  readonly min: number;
  readonly shape: readonly number[];
  /** Position in the concatenated shards of its group. */
  readonly group: number;
  readonly offset: number;
  readonly byteLength: number;
}

const MAX_WEIGHT_BYTES = 256 * 2 ** 20;
const MAX_RANK = 8;

/** @throws MND_MODEL_INVALID, MND_MODEL_SHAPE, MND_MODEL_TOO_LARGE */
export function parseManifest(value: unknown): StoredWeights {
  const weights = new Map<string, WeightEntry>();
  const groups: { shards: number; byteLength: number }[] = [];
  let total = 0;
  for (const entry of asArray(value, 'weightsManifest')) {
    const group = asRecord(entry, 'a weight group');
    let offset = 0;
    for (const item of asArray(own(group, 'weights'), 'the weights of a group')) {
      const { name, weight } = parseWeight(item, groups.length, offset);
      if (weights.has(name)) throw invalid(`two weights named ${quote(name)}`, 'unique names');
      weights.set(name, weight);
      offset += weight.byteLength;
      total += weight.byteLength;
      if (total > MAX_WEIGHT_BYTES) {
        throw codedError('MND_MODEL_TOO_LARGE', {
          subject: `weight ${quote(name)}`,
          expected: `at most ${MAX_WEIGHT_BYTES} bytes of weights`,
          found: `${total}`,
        });
      }
    }
    groups.push({
      shards: asArray(own(group, 'paths'), 'the paths of a group').length,
      byteLength: offset,
    });
  }
  return { weights, groups };
}

/** What one value of a type takes in a shard. */
const BYTES_PER_VALUE = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 } as const;

function parseWeight(item: unknown, group: number, offset: number) {
  const record = asRecord(item, 'a weight');
  const name = asString(own(record, 'name'), 'the name of a weight');
  const dtype = own(record, 'dtype');
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
    throw codedError('MND_MODEL_SHAPE', {
      subject: `weight ${quote(name)}`,
      expected: 'float32, int32 or bool',
      found: quote(String(dtype)),
    });
  }
  const shape = asArray(own(record, 'shape'), `the shape of ${quote(name)}`).map(Number);
  const values = shape.reduce((product, side) => product * side, 1);
  const sane = shape.every((side) => Number.isInteger(side) && side >= 0);
  if (!sane || shape.length > MAX_RANK || values > MAX_WEIGHT_BYTES) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: `weight ${quote(name)}`,
      expected: `up to ${MAX_RANK} dimensions of whole numbers`,
      found: `[${shape.slice(0, MAX_RANK + 1).join(', ')}]`,
    });
  }
  const storage = storageOf(own(record, 'quantization'), dtype, name);
  const byteLength = values * BYTES_PER_VALUE[storage.stored];
  const weight: WeightEntry = { dtype, ...storage, shape, group, offset, byteLength };
  return { name, weight };
}

/** How a tensor lies in the shards: as it is, or in fewer bits (tfjs-converter's --quantize_…). */
function storageOf(
  quantization: unknown,
  dtype: WeightEntry['dtype'],
  name: string,
): Pick<WeightEntry, 'stored' | 'scale' | 'min'> {
  if (quantization === undefined) return { stored: dtype, scale: 1, min: 0 };
  const record = asRecord(quantization, `the quantization of ${quote(name)}`);
  const stored = own(record, 'dtype');
  const [scale, min] = [own(record, 'scale') ?? 1, own(record, 'min') ?? 0];
  const known = stored === 'uint8' || stored === 'uint16' || stored === 'float16';
  if (!known || dtype === 'bool' || !Number.isFinite(scale) || !Number.isFinite(min)) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: `weight ${quote(name)}`,
      expected: 'a quantization to uint8, uint16 or float16',
      found: JSON.stringify(record).slice(0, 120),
    });
  }
  if (stored === 'float16') return { stored, scale: 1, min: 0 };
  return { stored, scale: Number(scale), min: Number(min) };
}
