import { codedError } from '../../errors.js';
import { asArray, asRecord, asString, invalid, isRecord, own, quote } from './json.js';
import { parseManifest, type StoredWeights } from './weights-manifest.js';

/** The parts of a TensorFlow.js graph model that conversion needs, checked and copied out of JSON. */
export interface GraphModel extends StoredWeights {
  readonly kind: 'graph';
  readonly nodes: ReadonlyMap<string, GraphNode>;
}

/** A model of Keras' layers, as tf.LayersModel saves it. */
export interface LayersModel extends StoredWeights {
  readonly kind: 'layers';
  /** Class and configuration of the outermost model: Sequential, Model or Functional. */
  readonly root: Readonly<Record<string, unknown>>;
}

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** Names of data inputs; `:n` is kept for outputs other than the first, control inputs are dropped. */
  readonly inputs: readonly string[];
  readonly attributes: ReadonlyMap<string, unknown>;
}

const MAX_JSON_BYTES = 32 * 2 ** 20;
const MAX_NODES = 20_000;

/**
 * Parses model.json (format of tfjs-converter: `modelTopology` is a GraphDef in protobuf's JSON
 * mapping, or Keras' description of its layers; `weightsManifest` lists the tensors in the order of their
 * bytes).
 *
 * @throws MND_MODEL_INVALID, MND_MODEL_SHAPE, MND_MODEL_TOO_LARGE
 */
export function parseModelJson(modelJson: Uint8Array | string): GraphModel | LayersModel {
  const root = parseJson(modelJson);
  const topology = asRecord(own(root, 'modelTopology'), 'modelTopology');
  const described = own(topology, 'model_config') ?? topology;
  if (isRecord(described) && own(described, 'class_name') !== undefined) {
    return { kind: 'layers', root: described, ...parseManifest(own(root, 'weightsManifest')) };
  }
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
  return { kind: 'graph', nodes, ...parseManifest(own(root, 'weightsManifest')) };
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
