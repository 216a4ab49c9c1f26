import { CODE } from './build-mobilenet.js';
import { createSpec } from './build-small.js';
import type { ModelSpec } from './build-tflite.js';
import { createRandom } from './random.js';

export interface RawSsd {
  readonly model: ModelSpec;
  /** Operators that join the boxes and the scores of all layers. */
  readonly joints: readonly [boxes: number, scores: number];
}

const SIZE = 300;
const CLASSES = 3;
const CHANNELS = 4;
const RELU6 = 3;

/**
 * A float SSD as MediaPipe exports it: nine strided convolutions, heads behind the last six, boxes
 * [1, anchors, 4] and scores [1, anchors, classes] as outputs.
 */
export function rawSsdModel(): RawSsd {
  const spec = createSpec(1);
  const random = createRandom(9);
  const floats = (shape: readonly number[], amplitude: number) => {
    const count = shape.reduce((product, side) => product * side, 1);
    const data = Float32Array.from({ length: count }, () => (random(2001) / 1000 - 1) * amplitude);
    return spec.tensor({ name: 'weights', type: 'float32', shape, data });
  };
  const activation = (shape: readonly number[]) => spec.activation(shape, 1, 0, 'float32');
  const convolve = (
    from: { tensor: number; side: number; channels: number },
    channels: number,
    { kernel, stride, fused }: { kernel: number; stride: number; fused: number },
  ) => {
    const side = Math.ceil(from.side / stride);
    const tensor = activation([1, side, side, channels]);
    const weights = floats([channels, kernel, kernel, from.channels], kernel === 3 ? 0.5 : 0.4);
    spec.operator({
      code: CODE.CONV_2D,
      inputs: [from.tensor, weights, floats([channels], 0.5)],
      outputs: [tensor],
      options: { union: 1, int8: { 3: fused }, int32: { 1: stride, 2: stride, 4: 1, 5: 1 } },
    });
    return { tensor, side, channels };
  };
  const reshape = (from: number, shape: readonly number[]) => {
    const data = Int32Array.from(shape);
    const target = spec.tensor({ name: 'shape', type: 'int32', shape: [shape.length], data });
    const tensor = activation(shape);
    spec.operator({ code: CODE.RESHAPE, inputs: [from, target], outputs: [tensor] });
    return tensor;
  };
  const picture = activation([1, SIZE, SIZE, 3]);
  let feature = { tensor: picture, side: SIZE, channels: 3 };
  const boxes: number[] = [];
  const scores: number[] = [];
  let total = 0;
  for (let depth = 1; depth <= 9; depth += 1) {
    feature = convolve(feature, CHANNELS, { kernel: 3, stride: 2, fused: RELU6 });
    if (depth < 4) continue;
    const anchors = depth === 4 ? 3 : 6;
    const count = feature.side ** 2 * anchors;
    const head = { kernel: 1, stride: 1, fused: 0 };
    const box = convolve(feature, anchors * 4, head).tensor;
    boxes.push(reshape(box, [1, count, 1, 4]));
    const score = convolve(feature, anchors * CLASSES, head).tensor;
    scores.push(reshape(score, [1, count, CLASSES]));
    total += count;
  }
  const join = (parts: readonly number[], shape: readonly number[], axis: number) => {
    const tensor = activation(shape);
    const options = { union: 10, int32: { 0: axis } };
    spec.operator({ code: CODE.CONCATENATION, inputs: parts, outputs: [tensor], options });
    return tensor;
  };
  const allBoxes = reshape(join(boxes, [1, total, 1, 4], 1), [1, total, 4]);
  const allScores = join(scores, [1, total, CLASSES], 1);
  const model = spec.finish([picture], [allBoxes, allScores]);
  const joints = model.operators.flatMap(({ code }, at) =>
    code === CODE.CONCATENATION ? [at] : [],
  );
  return { model, joints: [joints[0] ?? 0, joints[1] ?? 0] };
}
