import { CODE } from './build-mobilenet.js';
import { createSpec } from './build-small.js';
import type { ModelSpec } from './build-tflite.js';

export interface EdgeImpulseModel {
  /** As exported: int8 picture in, int8 probabilities out. */
  readonly model: ModelSpec;
  /** For an oracle without int8: uint8 picture in, float32 logits out. */
  readonly network: ModelSpec;
  /** Quantization of the logits as int8. */
  readonly logits: { readonly scale: number; readonly zeroPoint: number };
}

const CLASSES = 3;
const SAME = 0;
const RELU = 1;

/**
 * A small network as Edge Impulse exports it: an int8 picture of [0, 1], grey or RGB, convolutions
 * with a scale for each channel, max pools, a dense layer over everything, softmax.
 */
export function edgeImpulseModel(size: number, channels: 1 | 3, seed = 1): EdgeImpulseModel {
  const spec = createSpec(seed);
  const scale = Math.fround(1 / 255);
  const picture = spec.activation([1, size, size, channels], scale, -128, 'int8');
  let value = { tensor: picture, side: size, channels: channels as number, scale };
  for (const width of [8, 16]) {
    const { side } = value;
    const filtered = Math.fround(width === 8 ? 0.0213 : 0.0407);
    const convolved = spec.activation([1, side, side, width], filtered, -128, 'int8');
    const shape = [width, 3, 3, value.channels];
    const deviation = Math.sqrt(2 / (9 * value.channels)) * (width === 8 ? 2 : 1);
    const weights = spec.weights(shape, { type: 'int8', deviation, axis: 0 });
    spec.operator({
      code: CODE.CONV_2D,
      inputs: [value.tensor, weights, spec.bias(value.scale, weights, width)],
      outputs: [convolved],
      options: { union: 1, int8: { 0: SAME, 3: RELU }, int32: { 1: 1, 2: 1, 4: 1, 5: 1 } },
    });
    const half = Math.ceil(side / 2);
    const pooled = spec.activation([1, half, half, width], filtered, -128, 'int8');
    spec.operator({
      code: CODE.MAX_POOL_2D,
      inputs: [convolved],
      outputs: [pooled],
      options: { union: 5, int8: { 0: SAME }, int32: { 1: 2, 2: 2, 3: 2, 4: 2 } },
    });
    value = { tensor: pooled, side: half, channels: width, scale: filtered };
  }
  const count = value.side * value.side * value.channels;
  const flat = spec.activation([1, count], value.scale, -128, 'int8');
  const shape = {
    name: 'shape',
    type: 'int32',
    shape: [2],
    data: Int32Array.of(-1, count),
  } as const;
  spec.operator({
    code: CODE.RESHAPE,
    inputs: [value.tensor, spec.tensor(shape)],
    outputs: [flat],
  });
  const logits = { scale: 0.151, zeroPoint: 12 };
  const scores = spec.activation([1, CLASSES], logits.scale, logits.zeroPoint, 'int8');
  const weights = spec.weights([CLASSES, count], {
    type: 'int8',
    deviation: 1.5 / Math.sqrt(count),
  });
  spec.operator({
    code: CODE.FULLY_CONNECTED,
    inputs: [flat, weights, spec.bias(value.scale, weights, CLASSES)],
    outputs: [scores],
    options: { union: 8 },
  });
  const probabilities = spec.activation([1, CLASSES], 1 / 256, -128, 'int8');
  spec.operator({
    code: CODE.SOFTMAX,
    inputs: [scores],
    outputs: [probabilities],
    options: { union: 9, float32: { 0: 1 } },
  });
  const model = spec.finish([picture], [probabilities]);
  const first = model.tensors.length;
  const shaped = [1, size, size, channels];
  const network: ModelSpec = {
    tensors: [
      ...model.tensors,
      { name: 'picture', type: 'uint8', shape: shaped, scale: [scale], zeroPoint: [0] },
      { name: 'real', type: 'float32', shape: [1, CLASSES] },
    ],
    operators: [
      { code: CODE.QUANTIZE, inputs: [first], outputs: [picture] },
      ...model.operators.slice(0, -1),
      { code: CODE.DEQUANTIZE, inputs: [scores], outputs: [first + 1] },
    ],
    inputs: [first],
    outputs: [first + 1],
  };
  return { model, network, logits };
}
