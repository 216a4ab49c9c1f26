import { codedError } from '../../errors.js';

/** The parts of a TensorFlow.js graph model that conversion needs, checked and copied out of JSON. */
export interface GraphModel {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly weights: ReadonlyMap<string, WeightEntry>;
  /** Bytes that each shard group holds, in the order of the manifest. */
  readonly groups: readonly { readonly shards: number; readonly byteLength: number }[];
}

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** Names of data inputs; `:n` is kept for outputs other than the first, control inputs are dropped. */
  readonly inputs: readonly string[];
  readonly attributes: ReadonlyMap<string, unknown>;
}

export interface WeightEntry {
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly shape: readonly number[];
  /** Position in the concatenated shards of its group. */
  readonly group: number;
  readonly offset: number;
  readonly byteLength: number;
}

const MAX_JSON_BYTES = 32 * 2 ** 20;
const MAX_NODES = 20_000;
const MAX_WEIGHT_BYTES = 256 * 2 ** 20;
const MAX_RANK = 8;
const BYTES_PER_VALUE = { float32: 4, int32: 4, bool: 1 } as const;

/**
 * Parses model.json (format of tfjs-converter: `modelTopology` is a GraphDef in protobuf's JSON
 * mapping, `weightsManifest` lists the tensors in the order of their bytes).
 *
 * @throws MND_MODEL_INVALID, MND_MODEL_SHAPE, MND_MODEL_TOO_LARGE
 */
export function parseModelJson(modelJson: Uint8Array | string): GraphModel {
  const root = parseJson(modelJson);
  const topology = asRecord(own(root, 'modelTopology'), 'modelTopology');
  const nodes = new Map<string, GraphNode>();
  const list = asArray(own(topology, 'node'), 'modelTopology.node');
  if (list.length > MAX_NODES) {
    throw codedError('MND_MODEL_TOO_LARGE', {
      subject: 'model.json',
      expected: `at most ${MAX_NODES} nodes`,
      found: `${list.length}`,
    });
  }
  for (const entry of list) {
    const node = parseNode(entry);
    if (nodes.has(node.name)) throw invalid(`two nodes named ${quote(node.name)}`, 'unique names');
    nodes.set(node.name, node);
  }
  return { nodes, ...parseManifest(own(root, 'weightsManifest')) };
}

function parseJson(modelJson: Uint8Array | string): Record<string, unknown> {
  if (modelJson.length > MAX_JSON_BYTES) {
    throw codedError('MND_MODEL_TOO_LARGE', {
      subject: 'model.json',
      expected: `at most ${MAX_JSON_BYTES} bytes`,
      found: `${modelJson.length}`,
    });
  }
  try {
    const text = typeof modelJson === 'string' ? modelJson : new TextDecoder().decode(modelJson);
    return asRecord(JSON.parse(text), 'the document');
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw codedError('MND_MODEL_INVALID', {
        subject: 'model.json',
        expected: 'JSON',
        found: error.message.slice(0, 200),
        cause: error,
      });
    }
    throw error;
  }
}

function parseNode(value: unknown): GraphNode {
  const record = asRecord(value, 'a node');
  const name = asString(own(record, 'name'), 'the name of a node');
  const op = asString(own(record, 'op'), `the operator of ${quote(name)}`);
  const inputs: string[] = [];
  for (const entry of asArray(own(record, 'input') ?? [], `the inputs of ${quote(name)}`)) {
    const input = asString(entry, `an input of ${quote(name)}`);
    if (!input.startsWith('^')) inputs.push(input.endsWith(':0') ? input.slice(0, -2) : input);
  }
  const attributes = asRecord(own(record, 'attr') ?? {}, `the attributes of ${quote(name)}`);
  return { name, op, inputs, attributes: new Map(Object.entries(attributes)) };
}

function parseManifest(value: unknown): Pick<GraphModel, 'weights' | 'groups'> {
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

function parseWeight(item: unknown, group: number, offset: number) {
  const record = asRecord(item, 'a weight');
  const name = asString(own(record, 'name'), 'the name of a weight');
  const dtype = own(record, 'dtype');
  const quantized = own(record, 'quantization') !== undefined;
  if (quantized || (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool')) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: `weight ${quote(name)}`,
      expected: 'float32, int32 or bool, not quantized',
      found: `${quantized ? 'quantized ' : ''}${quote(String(dtype))}`,
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
  const byteLength = values * BYTES_PER_VALUE[dtype];
  const weight: WeightEntry = { dtype, shape, group, offset, byteLength };
  return { name, weight };
}

/** Property of a parsed JSON object, never of its prototype. */
export function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A name from a model, fit for an error message. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
}

function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (!isRecord(value)) throw invalid(describe(value), `an object for ${what}`);
  return value;
}

function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(describe(value), `a list for ${what}`);
  return value;
}

function asString(value: unknown, what: string): string {
  if (typeof value !== 'string') throw invalid(describe(value), `text for ${what}`);
  return value;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

function invalid(found: string, expected: string) {
  return codedError('MND_MODEL_INVALID', { subject: 'model.json', expected, found });
}
