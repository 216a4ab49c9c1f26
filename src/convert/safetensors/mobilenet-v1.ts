import { codedError } from '../../errors.js';
import type { Calibration } from '../calibration.js';
import type { Activation, Graph, Operator, Tensor } from '../graph.js';
import { INPUT_NAME, LOGITS_NAME } from '../names.js';
import type { SafetensorsFile, StoredTensor } from './file.js';

/** Nothing was measured of what the layers make: ReLU6 bounds all of it, and the tail stays real. */
export const TRAINED_CALIBRATION: Calibration = {
  channelScales: new Map(),
  ranges: new Map(),
  means: new Map(),
};

/** As the training writes it; another number means another layout. */
const FORMAT = 'mobilenetd-ladder 1';
const LAYERS = 27;
/** Strides of the stem and of the depthwise layers, in order; pointwise layers have 1. */
const STRIDES = [2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1];
const POOLED = 'pooled';
const SCORES = 'scores';

/**
 * Builds the network of a file that `training/train.py` wrote, for one of the input sizes it was
 * trained at. The weights serve all sizes; scale and shift of each channel (the folded batch norm)
 * are the size's own.
 *
 * Tensors, N from 0 (stem, then depthwise and pointwise in turn): `layers.N.weight` [outputs,
 * inputs / groups, height, width], real or int8 with `layers.N.weight_scale` [outputs];
 * `layers.N.scale.SIZE` and `layers.N.shift.SIZE` [outputs]; `classifier.weight` [classes, features]
 * (and `_scale`), `classifier.bias` [classes].
 *
 * @throws MND_MODEL_INVALID, MND_MODEL_SHAPE, MND_MODEL_MISMATCH for a size that is not in the file
 */
export function trainedMobilenetV1(file: SafetensorsFile, size: number): Graph {
  requireFormat(file, size);
  const build = createBuilder(file);
  let shape: readonly [number, number, number] = [size, size, 3];
  let input = build.picture(shape);
  for (let index = 0; index < LAYERS; index += 1) {
    const depthwise = index % 2 === 1;
    const stride = depthwise ? (STRIDES[(index + 1) / 2] ?? 1) : index === 0 ? 2 : 1;
    const side = Math.ceil(shape[0] / stride);
    const channels = build.layer(input, { index, size, stride, depthwise, side, inputs: shape[2] });
    shape = [side, side, channels];
    input = `layers.${index}`;
  }
  return build.classifier(input, shape[2]);
}

/** The input sizes that a file was trained at, pixels, largest first. */
function trainedSizes({ metadata }: SafetensorsFile): readonly number[] {
  return (metadata.get('sizes') ?? '').split(',').map(Number);
}

function requireFormat(file: SafetensorsFile, size: number): void {
  const format = file.metadata.get('format');
  if (format !== FORMAT) {
    throw codedError('MND_MODEL_INVALID', {
      subject: 'safetensors file',
      expected: `the format "${FORMAT}" of training/train.py in its metadata`,
      found: format === undefined ? 'none' : JSON.stringify(format.slice(0, 60)),
    });
  }
  const sizes = trainedSizes(file);
  if (!sizes.includes(size)) {
    throw codedError('MND_MODEL_MISMATCH', {
      subject: 'input size',
      expected: `one that the network was trained at: ${sizes.join(', ')} px`,
      found: `${size} px`,
    });
  }
}

interface LayerPlace {
  readonly index: number;
  readonly size: number;
  readonly stride: number;
  readonly depthwise: boolean;
  /** Of the output. */
  readonly side: number;
  readonly inputs: number;
}

function createBuilder(file: SafetensorsFile) {
  const tensors = new Map<string, Tensor>();
  const operators: Operator[] = [];

  function add(name: string, shape: readonly number[], data: Float32Array | null = null): string {
    tensors.set(name, { name, type: 'float32', shape, quantization: null, data });
    return name;
  }

  function conv(
    input: string,
    output: string,
    stride: number,
    depthwise: boolean,
    activation: Activation,
  ): void {
    operators.push({
      kind: 'conv',
      input,
      weights: `${output}.weight`,
      bias: `${output}.bias`,
      output,
      depthwise,
      stride: [stride, stride],
      dilation: [1, 1],
      padding: 'same',
      activation,
    });
  }

  return {
    picture(shape: readonly [number, number, number]): string {
      const quantization = null;
      const input: Tensor = {
        name: INPUT_NAME,
        type: 'uint8',
        shape: [1, ...shape],
        quantization,
        data: null,
      };
      tensors.set(INPUT_NAME, input);
      const output = add('picture', [1, ...shape]);
      operators.push({
        kind: 'normalize',
        input: INPUT_NAME,
        output,
        scale: [1 / 127.5],
        offset: [-1],
      });
      return output;
    },

    layer(input: string, place: LayerPlace): number {
      const { index, size, stride, depthwise, side, inputs } = place;
      const name = `layers.${index}`;
      const kernel = index === 0 || depthwise ? 3 : 1;
      const stored = required(file, `${name}.weight`);
      const outputs = depthwise ? inputs : (stored.shape[0] ?? 0);
      requireShape(`${name}.weight`, stored, [outputs, depthwise ? 1 : inputs, kernel, kernel]);
      const weights = weightsOf(file, name, stored);
      const scale = reals(file, `${name}.scale.${size}`, outputs);
      const scaled = scaledBy(weights, scale);
      const shape = depthwise ? [kernel, kernel, outputs] : [outputs, kernel, kernel, inputs];
      add(`${name}.weight`, shape, channelsLast(scaled, outputs, kernel * kernel, depthwise));
      add(`${name}.bias`, [outputs], reals(file, `${name}.shift.${size}`, outputs));
      add(name, [1, side, side, outputs]);
      conv(input, name, stride, depthwise, 'relu6');
      return outputs;
    },

    classifier(input: string, features: number): Graph {
      const stored = required(file, 'classifier.weight');
      const classes = stored.shape[0] ?? 0;
      requireShape('classifier.weight', stored, [classes, features]);
      add(POOLED, [1, 1, 1, features]);
      operators.push({ kind: 'global-average-pool', input, output: POOLED });
      add(`${SCORES}.weight`, [classes, 1, 1, features], weightsOf(file, 'classifier', stored));
      add(`${SCORES}.bias`, [classes], reals(file, 'classifier.bias', classes));
      add(SCORES, [1, 1, 1, classes]);
      conv(POOLED, SCORES, 1, false, 'none');
      add(LOGITS_NAME, [1, classes]);
      operators.push({ kind: 'reshape', input: SCORES, output: LOGITS_NAME });
      const graph = { tensors, operators, inputs: [INPUT_NAME], outputs: [LOGITS_NAME] };
      return graph;
    },
  };
}

/** [outputs, inputs, taps] to [outputs, taps, inputs]; a depthwise layer's to [taps, outputs]. */
function channelsLast(
  values: Float32Array,
  outputs: number,
  taps: number,
  depthwise: boolean,
): Float32Array {
  const rows = depthwise ? 1 : outputs;
  const columns = values.length / (rows * taps);
  const moved = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      for (let tap = 0; tap < taps; tap += 1) {
        const from = (row * columns + column) * taps + tap;
        moved[(row * taps + tap) * columns + column] = values[from] ?? 0;
      }
    }
  }
  return moved;
}

/** Real weights; those stored in eight bits have a scale for each output. */
function weightsOf(file: SafetensorsFile, name: string, stored: StoredTensor): Float32Array {
  const outputs = stored.shape[0] ?? 0;
  if (stored.data instanceof Float32Array) return stored.data;
  const scale = reals(file, `${name}.weight_scale`, outputs);
  return scaledBy(stored.data, scale);
}

/** Weights of each output times its scale: one after the other, [outputs, …]. */
function scaledBy(weights: ArrayLike<number>, scale: Float32Array): Float32Array {
  const scaled = new Float32Array(weights.length);
  const perOutput = weights.length / scale.length;
  for (let output = 0, at = 0; output < scale.length; output += 1) {
    const factor = scale[output] ?? Number.NaN;
    for (const end = at + perOutput; at < end; at += 1) scaled[at] = (weights[at] ?? 0) * factor;
  }
  return scaled;
}

function required({ tensors }: SafetensorsFile, name: string): StoredTensor {
  const tensor = tensors.get(name);
  if (tensor !== undefined) return tensor;
  throw codedError('MND_MODEL_INVALID', {
    subject: 'safetensors file',
    expected: `a tensor ${name}`,
    found: 'none',
  });
}

function reals(file: SafetensorsFile, name: string, length: number): Float32Array {
  const tensor = required(file, name);
  requireShape(name, tensor, [length]);
  if (tensor.data instanceof Float32Array && tensor.data.every(Number.isFinite)) return tensor.data;
  throw codedError('MND_MODEL_INVALID', {
    subject: `tensor ${name}`,
    expected: 'finite real numbers',
    found: 'something else',
  });
}

function requireShape(name: string, { shape }: StoredTensor, expected: readonly number[]): void {
  if (expected.every((side) => side > 0) && shape.join() === expected.join()) return;
  throw codedError('MND_MODEL_SHAPE', {
    subject: `tensor ${name}`,
    expected: `[${expected.join(', ')}]`,
    found: `[${shape.join(', ')}]`,
  });
}
