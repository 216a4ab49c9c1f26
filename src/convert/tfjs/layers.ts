import type { FloatNode, MapShape, UnnamedNode } from '../float-network/nodes.js';
import { asArray, invalid, isRecord, own } from './json.js';
import { type Layer, readLayer, unsupported } from './layer-config.js';
import { LAYERS } from './layer-readers.js';
import type { LayersModel } from './manifest.js';
import type { Constant, ConstantReader } from './weights.js';

const MODELS = ['Sequential', 'Model', 'Functional'];
const MAX_LAYERS = 5000;
const MAX_DEPTH = 8;

/** The nodes of a layers model, the picture first, and the name of what it ends with. */
export interface LayerNodes {
  readonly nodes: readonly FloatNode[];
  readonly output: string;
}

/**
 * Reads a model of Keras' layers (tf.LayersModel: Teachable Machine's web export, tfjs-converter's
 * keras input), models inside models included.
 *
 * @throws MND_MODEL_INVALID, MND_MODEL_OPERATOR, MND_MODEL_SHAPE
 */
export function readLayers(model: LayersModel, constants: ConstantReader): LayerNodes {
  const reading = new LayerReading(model, constants);
  const output = reading.read(readLayer(model.root), [], 0);
  return { nodes: reading.nodes, output };
}

class LayerReading {
  readonly nodes: FloatNode[] = [];
  readonly #weights: ReadonlyMap<string, string>;
  readonly #constants: ConstantReader;
  readonly #taken = new Set<string>();
  #count = 0;

  constructor(model: LayersModel, constants: ConstantReader) {
    this.#constants = constants;
    // tfjs-layers looks for a weight under its own name, then with one step of its scope left out.
    const names = new Map<string, string>();
    for (const name of model.weights.keys()) {
      const steps = name.replace(/:0$/, '').split('/');
      const short = [...steps.slice(0, -2), ...steps.slice(-1)].join('/');
      if (!names.has(short)) names.set(short, name);
    }
    for (const name of model.weights.keys()) names.set(name.replace(/:0$/, ''), name);
    this.#weights = names;
  }

  /** @returns the name of the layer's result */
  read(layer: Layer, inputs: readonly string[], depth: number): string {
    this.#count += 1;
    if (this.#count > MAX_LAYERS || depth > MAX_DEPTH) {
      throw unsupported(layer, `at most ${MAX_LAYERS} layers, ${MAX_DEPTH} deep`, 'more');
    }
    if (MODELS.includes(layer.type)) return this.#readModel(layer, inputs, depth);
    // Inside, a layer may tell its shape as well; the picture is where nothing comes before.
    const shape = inputs.length > 0 ? null : inputShapeOf(layer);
    const sources = shape === null ? inputs : [this.#addPicture(shape)];
    if (layer.type === 'InputLayer') return sources[0] ?? '';
    const read = LAYERS[layer.type];
    if (read === undefined) {
      throw unsupported(layer, `one of ${Object.keys(LAYERS).join(', ')}`, layer.type);
    }
    return read(layer, sources, {
      weight: (name) => this.#weightOf(layer, name),
      add: (node, part = '') => this.#add(layer, node, part),
    });
  }

  #readModel(layer: Layer, inputs: readonly string[], depth: number): string {
    const { config } = layer;
    const list = Array.isArray(config) ? config : own(config, 'layers');
    const layers = asArray(list, `the layers of ${layer.name}`).map(readLayer);
    const results = new Map<string, string>();
    let last = inputs[0] ?? '';
    for (const inner of layers) {
      const isInput = inner.type === 'InputLayer';
      const named = inner.inputs?.map((name) => {
        const result = results.get(name);
        if (result === undefined) throw invalid(name.slice(0, 120), `a layer before ${inner.name}`);
        return result;
      });
      const sequential = last === '' ? [] : [last];
      const sources = isInput || named?.length === 0 ? inputs : (named ?? sequential);
      last = this.read(inner, sources, depth + 1);
      results.set(inner.name, last);
    }
    return outputOf(layer, results) ?? last;
  }

  #addPicture(shape: MapShape): string {
    if (this.nodes.length > 0) throw invalid('two inputs', 'a model with one picture as input');
    this.nodes.push({ kind: 'picture', name: 'picture', shape });
    this.#taken.add('picture');
    return 'picture';
  }

  #add(layer: Layer, node: UnnamedNode, part: string): string {
    const wanted = part === '' ? layer.name : `${layer.name}/${part}`;
    const name = this.#taken.has(wanted) ? `${wanted}#${this.#taken.size}` : wanted;
    this.#taken.add(name);
    // The name is what an unnamed node lacks.
    this.nodes.push({ ...node, name } as FloatNode);
    return name;
  }

  #weightOf(layer: Layer, name: string): Constant {
    const stored = this.#weights.get(`${layer.name}/${name}`);
    const constant = stored === undefined ? undefined : this.#constants(stored);
    if (constant === undefined) {
      throw invalid('none', `the weight ${JSON.stringify(`${layer.name}/${name}`.slice(0, 160))}`);
    }
    return constant;
  }
}

/** [null, height, width, channels] of an input layer, or of the first layer of a Sequential model. */
function inputShapeOf(layer: Layer): MapShape | null {
  const value = own(layer.config, 'batch_input_shape') ?? own(layer.config, 'batch_shape');
  if (value === undefined) return null;
  const [, ...sides] = asArray(value, `the input shape of ${layer.name}`);
  const [height, width, channels] = sides.map(Number);
  const sane = sides.length === 3 && [height, width, channels].every((side) => Number(side) >= 1);
  if (!sane || ![1, 3].includes(Number(channels))) {
    throw unsupported(
      layer,
      'a picture of a fixed size, [null, height, width, 3]',
      JSON.stringify(value).slice(0, 100),
    );
  }
  return [Number(height), Number(width), Number(channels)];
}

/** The result that `output_layers` names; null for a Sequential model. */
function outputOf(layer: Layer, results: ReadonlyMap<string, string>): string | null {
  const value = isRecord(layer.config) ? own(layer.config, 'output_layers') : undefined;
  if (!Array.isArray(value)) return null;
  // Keras 3 gives a single output as one entry, Keras 2 as a list of one.
  const entries: unknown[] = Array.isArray(value[0]) ? value : [value];
  const [entry] = entries;
  if (entries.length !== 1 || !Array.isArray(entry)) {
    throw unsupported(layer, 'one output', `${entries.length}`);
  }
  const result = results.get(String(entry[0]));
  if (result === undefined)
    throw invalid(String(entry[0]).slice(0, 120), 'an output that is a layer');
  return result;
}
