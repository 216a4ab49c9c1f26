import { CODE } from './build-mobilenet.js';
import { createSpec } from './build-small.js';
import type { ModelSpec } from './build-tflite.js';

export interface FomoOptions {
  readonly height?: number;
  readonly width?: number;
  /** Objects' classes; the background comes before them. */
  readonly classes?: number;
  readonly channels?: 1 | 3;
  readonly seed?: number;
  /** What ends the network. */
  readonly end?: 'softmax' | 'none';
  /** Strided convolutions: 3 make cells of 8 pixels, as Edge Impulse's do; 1 makes a map of pixels. */
  readonly halvings?: number;
}

export interface FomoModel {
  /** As exported: int8 picture in, int8 scores of each cell out. */
  readonly model: ModelSpec;
  /** For an oracle without int8: uint8 picture in, float32 logits out. */
  readonly network: ModelSpec;
}

const SAME = 0;
const RELU = 1;

/**
 * A small network as Edge Impulse exports FOMO: strided convolutions, one of 1×1 to the background and the
 * classes of each cell, softmax; int8 in and out.
 */
export function fomoModel(options: FomoOptions = {}): FomoModel {
  const { height = 48, width = height, classes = 2, channels = 3, halvings = 3 } = options;
  const spec = createSpec(options.seed ?? 1);
  const scale = Math.fround(1 / 255);
  const picture = spec.activation([1, height, width, channels], scale, -128, 'int8');
  let value = {
    tensor: picture,
    rows: height,
    columns: width,
    channels: channels as number,
    scale,
  };
  for (let layer = 0; layer < halvings; layer += 1) {
    const [rows, columns] = [Math.ceil(value.rows / 2), Math.ceil(value.columns / 2)];
    const depth = 8 * (layer + 1);
    const after = Math.fround(0.0213 * (layer + 1));
    const convolved = spec.activation([1, rows, columns, depth], after, -128, 'int8');
    const deviation = 1.6 * Math.sqrt(2 / (9 * value.channels));
    const shape = [depth, 3, 3, value.channels];
    const weights = spec.weights(shape, { type: 'int8', deviation, axis: 0 });
    spec.operator({
      code: CODE.CONV_2D,
      inputs: [value.tensor, weights, spec.bias(value.scale, weights, depth)],
      outputs: [convolved],
      options: { union: 1, int8: { 0: SAME, 3: RELU }, int32: { 1: 2, 2: 2, 4: 1, 5: 1 } },
    });
    value = { tensor: convolved, rows, columns, channels: depth, scale: after };
  }
  const cells = [1, value.rows, value.columns, classes + 1];
  const scores = spec.activation(cells, 0.083, -4, 'int8');
  const weights = spec.weights([classes + 1, 1, 1, value.channels], {
    type: 'int8',
    deviation: 3 / Math.sqrt(value.channels),
    axis: 0,
  });
  spec.operator({
    code: CODE.CONV_2D,
    inputs: [value.tensor, weights, spec.bias(value.scale, weights, classes + 1)],
    outputs: [scores],
    options: { union: 1, int32: { 1: 1, 2: 1, 4: 1, 5: 1 } },
  });
  const probabilities = spec.activation(cells, 1 / 256, -128, 'int8');
  const ends = options.end !== 'none';
  if (ends) {
    const softmax = { union: 9, float32: { 0: 1 } } as const;
    const [inputs, outputs] = [[scores], [probabilities]];
    spec.operator({ code: CODE.SOFTMAX, inputs, outputs, options: softmax });
  }
  const model = spec.finish([picture], [ends ? probabilities : scores]);
  const first = model.tensors.length;
  const shaped = [1, height, width, channels];
  const network: ModelSpec = {
    tensors: [
      ...model.tensors,
      { name: 'picture', type: 'uint8', shape: shaped, scale: [scale], zeroPoint: [0] },
      { name: 'real', type: 'float32', shape: cells },
    ],
    operators: [
      { code: CODE.QUANTIZE, inputs: [first], outputs: [picture] },
      ...(ends ? model.operators.slice(0, -1) : model.operators),
      { code: CODE.DEQUANTIZE, inputs: [scores], outputs: [first + 1] },
    ],
    inputs: [first],
    outputs: [first + 1],
  };
  return { model, network };
}
