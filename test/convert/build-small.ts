import { CODE } from './build-mobilenet.js';
import type { ModelSpec, OperatorSpec, TensorSpec } from './build-tflite.js';
import { createRandom } from './random.js';

/** Puts a small model together, tensor by tensor, in the order of its operators. */
export interface SpecBuilder {
  tensor(tensor: TensorSpec): number;
  /** A computed uint8 or int8 tensor. */
  activation(
    shape: readonly number[],
    scale: number,
    zeroPoint: number,
    type?: 'uint8' | 'int8' | 'float32',
  ): number;
  /** Random weights between `low` and `high`, and a scale for each of `channels`. */
  weights(shape: readonly number[], options: WeightOptions): number;
  bias(inputScale: number, weights: number, channels: number): number;
  operator(operator: OperatorSpec): void;
  finish(inputs: readonly number[], outputs: readonly number[]): ModelSpec;
}

export interface WeightOptions {
  readonly type: 'uint8' | 'int8';
  /** Standard deviation of the real weights. */
  readonly deviation: number;
  /** Scales along this axis; one scale for all where it is left out. */
  readonly axis?: number;
}

export function createSpec(seed: number): SpecBuilder {
  const random = createRandom(seed);
  const tensors: TensorSpec[] = [];
  const operators: OperatorSpec[] = [];
  const tensor = (spec: TensorSpec) => tensors.push(spec) - 1;
  return {
    tensor,
    activation(shape, scale, zeroPoint, type = 'uint8') {
      const name = `activation ${tensors.length}`;
      if (type === 'float32') return tensor({ name, type, shape });
      return tensor({ name, type, shape, scale: [Math.fround(scale)], zeroPoint: [zeroPoint] });
    },
    weights(shape, { type, deviation, axis }) {
      const count = shape.reduce((product, side) => product * side, 1);
      const channels = axis === undefined ? 1 : (shape[axis] ?? 1);
      const data =
        type === 'uint8'
          ? Uint8Array.from({ length: count }, () => random(256))
          : Int8Array.from({ length: count }, () => random(255) - 127);
      const scale = Array.from({ length: channels }, () =>
        Math.fround((deviation / 74) * (0.5 + random(1000) / 1000)),
      );
      const zeroPoint = scale.map(() => (type === 'uint8' ? 120 + random(16) : 0));
      return tensor({ name: 'weights', type, shape, scale, zeroPoint, axis: axis ?? 0, data });
    },
    bias(inputScale, weights, channels) {
      const { scale = [1] } = tensors[weights] ?? {};
      const scales = scale.map((value) => Math.fround(value * Math.fround(inputScale)));
      const data = Int32Array.from({ length: channels }, (_, channel) => {
        const span = Math.ceil(0.5 / (scales[scales.length === 1 ? 0 : channel] ?? 1));
        return random(2 * span) - span;
      });
      return tensor({
        name: 'bias',
        type: 'int32',
        shape: [channels],
        scale: scales,
        zeroPoint: scales.map(() => 0),
        data,
      });
    },
    operator: (operator) => void operators.push(operator),
    finish: (inputs, outputs) => ({ tensors, operators, inputs, outputs }),
  };
}

/** Every operator of the V1 and V2 family once, on an 8×8 picture: mostly structure, few weights. */
export function smallSpec(seed = 1): ModelSpec {
  const spec = createSpec(seed);
  const input = spec.activation([1, 8, 8, 3], 1 / 128, 128);
  const first = spec.activation([1, 4, 4, 8], 6 / 255, 0);
  const w1 = spec.weights([8, 3, 3, 3], { type: 'uint8', deviation: 0.3 });
  spec.operator({
    code: CODE.CONV_2D,
    inputs: [input, w1, spec.bias(1 / 128, w1, 8)],
    outputs: [first],
    options: { union: 1, int8: { 3: 3 }, int32: { 1: 2, 2: 2, 4: 1, 5: 1 } },
  });
  const second = spec.activation([1, 4, 4, 8], 0.05, 120);
  const w2 = spec.weights([1, 3, 3, 8], { type: 'uint8', deviation: 0.5 });
  spec.operator({
    code: CODE.DEPTHWISE_CONV_2D,
    inputs: [first, w2, spec.bias(6 / 255, w2, 8)],
    outputs: [second],
    options: { union: 2, int32: { 1: 1, 2: 1, 3: 1, 5: 1, 6: 1 } },
  });
  const sum = spec.activation([1, 4, 4, 8], 0.05, 90);
  spec.operator({
    code: CODE.ADD,
    inputs: [first, second],
    outputs: [sum],
    options: { union: 11 },
  });
  const pooled = spec.activation([1, 1, 1, 8], 0.05, 90);
  spec.operator({
    code: CODE.AVERAGE_POOL_2D,
    inputs: [sum],
    outputs: [pooled],
    options: { union: 5, int8: { 0: 1 }, int32: { 1: 1, 2: 1, 3: 4, 4: 4 } },
  });
  const scores = spec.activation([1, 1, 1, 10], 0.03, 128);
  const w3 = spec.weights([10, 1, 1, 8], { type: 'uint8', deviation: 0.5 });
  spec.operator({
    code: CODE.CONV_2D,
    inputs: [pooled, w3, spec.bias(0.05, w3, 10)],
    outputs: [scores],
    options: { union: 1, int32: { 1: 1, 2: 1, 4: 1, 5: 1 } },
  });
  const logits = spec.activation([1, 10], 0.03, 128);
  const shape = { name: 'shape', type: 'int32', shape: [2], data: Int32Array.of(1, 10) } as const;
  spec.operator({ code: CODE.RESHAPE, inputs: [scores, spec.tensor(shape)], outputs: [logits] });
  const probabilities = spec.activation([1, 10], 1 / 256, 0);
  spec.operator({
    code: CODE.SOFTMAX,
    inputs: [logits],
    outputs: [probabilities],
    options: { union: 9, float32: { 0: 1 } },
  });
  return spec.finish([input], [probabilities]);
}
