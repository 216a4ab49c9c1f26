import { encode } from 'flatbuffers/js/flexbuffers.js';
import { createAnchors } from '#mobilenetd/vision/anchors.js';
import { CODE } from './build-mobilenet.js';
import { createSpec } from './build-small.js';
import type { ModelSpec } from './build-tflite.js';

export interface SsdModel {
  /** As exported: picture in, TFLite_Detection_PostProcess at the end. */
  readonly model: ModelSpec;
  /** Tensors of the feature maps: boxes and scores of each. */
  readonly maps: readonly (readonly [boxes: number, scores: number])[];
  readonly postprocess: number;
  readonly anchors: number;
}

const SIZE = 64;
const CLASSES = 5;
const RELU6_SCALE = 6 / 255;
const ANCHOR_STEP = Math.fround(1.7 / 255);
const ANCHOR_ZERO = 0;
const LAYERS = [
  { stride: 16, side: 4, anchors: 3 },
  { stride: 32, side: 2, anchors: 6 },
  { stride: 64, side: 1, anchors: 6 },
];

/** Anchors by the rules of the detection zoo, for these three layers. */
function zooAnchors(): Float32Array {
  const output = { name: '', type: 'uint8', scale: 1, zeroPoint: 0 } as const;
  const head = {
    kind: 'ssd',
    classes: CLASSES,
    layers: LAYERS.map(({ stride }) => ({ boxes: output, scores: output, stride })),
    anchors: {
      referenceSize: SIZE,
      minScale: 0.2,
      maxScale: 0.95,
      aspectRatios: [1, 2, 0.5, 3, 0.3333],
      reduceBoxesInLowestLayer: true,
      interpolatedScaleAspectRatio: 1,
    },
    boxScales: [10, 10, 5, 5],
  } as const;
  return createAnchors(head, SIZE, SIZE).boxes;
}

export interface SsdOptions {
  /** Settings of the post-processing besides, or instead of, the usual ones. */
  readonly settings?: Readonly<Record<string, number | boolean>>;
  /** What makes scores of the logits. */
  readonly scores?: 'LOGISTIC' | 'SOFTMAX' | 'nothing';
  /** Anchors in another order, or of other sides. */
  readonly anchors?: (anchors: Float32Array) => Float32Array;
}

/** A small uint8 SSD of three feature maps, wired as ssd_mobilenet_v1_coco is exported. */
export function ssdModel(options: SsdOptions = {}): SsdModel {
  const { scores: kind = 'LOGISTIC', anchors: change = (all) => all } = options;
  const spec = createSpec(5);
  const input = spec.activation([1, SIZE, SIZE, 3], 1 / 128, 128);
  const conv = (
    from: number,
    fromScale: number,
    channels: readonly [number, number],
    to: number,
    stride: number,
    activation = 0,
  ) => {
    const [inputs, outputs] = channels;
    const kernel = stride === 1 ? 1 : 3;
    const shape = [outputs, kernel, kernel, inputs];
    const weights = spec.weights(shape, { type: 'uint8', deviation: 0.3 });
    spec.operator({
      code: CODE.CONV_2D,
      inputs: [from, weights, spec.bias(fromScale, weights, outputs)],
      outputs: [to],
      options: { union: 1, int8: { 3: activation }, int32: { 1: stride, 2: stride, 4: 1, 5: 1 } },
    });
    return to;
  };
  const reshaped = (from: number, shape: readonly number[], scale: number, zero: number) => {
    const to = spec.activation(shape, scale, zero);
    const data = Int32Array.from(shape);
    const target = spec.tensor({ name: 'shape', type: 'int32', shape: [shape.length], data });
    spec.operator({ code: CODE.RESHAPE, inputs: [from, target], outputs: [to] });
    return to;
  };
  let trunk = input;
  let channels = 3;
  let scale = 1 / 128;
  const maps: [number, number][] = [];
  const boxes: number[] = [];
  const scores: number[] = [];
  for (const { side, anchors } of LAYERS) {
    const feature = spec.activation([1, side, side, 8], RELU6_SCALE, 0);
    const previous = trunk === input ? 16 : 2;
    trunk = conv(trunk, scale, [channels, 8], feature, previous, 3);
    channels = 8;
    scale = RELU6_SCALE;
    const box = spec.activation([1, side, side, anchors * 4], 0.05, 100);
    const score = spec.activation([1, side, side, anchors * CLASSES], 0.06, 150);
    maps.push([
      conv(trunk, scale, [8, anchors * 4], box, 1),
      conv(trunk, scale, [8, anchors * CLASSES], score, 1),
    ]);
    const count = side * side * anchors;
    boxes.push(reshaped(box, [1, count, 1, 4], 0.05, 100));
    scores.push(reshaped(score, [1, count, CLASSES], 0.06, 150));
  }
  const total = LAYERS.reduce((sum, { side, anchors }) => sum + side * side * anchors, 0);
  const join = (parts: readonly number[], shape: readonly number[], s: number, zero: number) => {
    const joined = spec.activation(shape, s, zero);
    const options = { union: 10, int32: { 0: 1 } };
    spec.operator({ code: CODE.CONCATENATION, inputs: parts, outputs: [joined], options });
    return joined;
  };
  const allBoxes = reshaped(join(boxes, [1, total, 1, 4], 0.05, 100), [1, total, 4], 0.05, 100);
  const allScores = join(scores, [1, total, CLASSES], 0.06, 150);
  const probabilities = spec.activation([1, total, CLASSES], 1 / 256, 0);
  if (kind !== 'nothing') {
    const softmax = kind === 'SOFTMAX' && { options: { union: 9, float32: { 0: 1 } } };
    spec.operator({
      code: CODE[kind],
      inputs: [allScores],
      outputs: [probabilities],
      ...softmax,
    });
  }
  // The post-processing takes anchors for quantized where boxes are.
  const data = Uint8Array.from(
    change(zooAnchors()),
    (value) => Math.max(0, Math.round(value / ANCHOR_STEP)) + ANCHOR_ZERO,
  );
  const stored = { scale: [ANCHOR_STEP], zeroPoint: [ANCHOR_ZERO] };
  const anchors = spec.tensor({
    name: 'anchors',
    type: 'uint8',
    shape: [total, 4],
    data,
    ...stored,
  });
  const usual = { max_detections: 10, num_classes: CLASSES - 1, y_scale: 10.5, x_scale: 9 };
  const settings = { ...usual, h_scale: 5.25, w_scale: 5, ...options.settings };
  const { max_detections: most, max_classes_per_detection: names = 1 } = settings as {
    max_detections: number;
    max_classes_per_detection?: number;
  };
  const count = most * names;
  const results = [[1, count, 4], [1, count], [1, count], [1]].map((shape, at) =>
    spec.tensor({ name: `result${at}`, type: 'float32', shape }),
  );
  spec.operator({
    code: 'TFLite_Detection_PostProcess',
    inputs: [allBoxes, kind === 'nothing' ? allScores : probabilities, anchors],
    outputs: results,
    customOptions: encode(settings),
  });
  const model = spec.finish([input], results);
  return { model, maps, postprocess: model.operators.length - 1, anchors };
}
