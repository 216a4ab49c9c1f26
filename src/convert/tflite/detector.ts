import { toReference } from 'flatbuffers/js/flexbuffers.js';
import { codedError } from '../../errors.js';
import type { Suppression } from '../../models/variant.js';
import { freeSize } from '../free-size.js';
import type { Graph } from '../graph.js';
import { INPUT_NAME } from '../names.js';
import { nhwcShape, tensorOf } from '../tensors.js';
import { constantValues, operandOf, subjectOf } from './context.js';
import type { TfliteModel, TfliteOperator, TfliteTensor } from './model-types.js';
import type { PicturePlan } from './picture.js';
import { readGraph } from './read.js';

/** The custom operator that ends TensorFlow's SSD models: box decoding and suppression. */
const POSTPROCESS = 'TFLite_Detection_PostProcess';

/** One feature map: names of its two outputs, and what their shapes say. */
export interface DetectorLayer {
  readonly boxes: string;
  readonly scores: string;
  readonly stride: number;
  readonly anchors: number;
}

/** An SSD detector without its box decoding: raw convolution outputs. */
export interface TfliteDetector {
  readonly graph: Graph;
  readonly layers: readonly DetectorLayer[];
  /** Score columns, the background included where there is one. */
  readonly classes: number;
  readonly background: boolean;
  /** Centre y, centre x, height, width of every anchor, as fractions. */
  readonly anchors: Float32Array;
  readonly boxScales: readonly [y: number, x: number, height: number, width: number];
  readonly suppression: Suppression;
}

function notSsd(expected: string, found: string): Error {
  return codedError('MND_MODEL_SHAPE', { subject: 'detector head', expected, found });
}

/** The operator that ends a detector; null for any other model. */
export function findPostprocess(model: TfliteModel): TfliteOperator | null {
  return model.operators.find(({ name }) => name === POSTPROCESS) ?? null;
}

/** Operators that stand between the convolutions and the post-processing and change no order. */
const TRANSPARENT = ['RESHAPE', 'SQUEEZE', 'LOGISTIC', 'QUANTIZE', 'DEQUANTIZE'];

/** Walks back from a tensor over operators that change no order, and counts the sigmoids among them. */
function sourceOf(model: TfliteModel, start: TfliteTensor) {
  let tensor = start;
  let sigmoids = 0;
  for (let steps = 0; steps < 16; steps += 1) {
    const { index } = tensor;
    const producer = model.operators.find(({ outputs }) => outputs.includes(index));
    if (producer === undefined || !TRANSPARENT.includes(producer.name)) {
      return { tensor, producer, sigmoids };
    }
    if (producer.name === 'LOGISTIC') sigmoids += 1;
    tensor = operandOf({ model }, producer, 'inputs', 0);
  }
  throw notSsd('a few operators behind the convolutions', 'a chain of more than 16');
}

/**
 * The convolution outputs that are joined to one tensor of all anchors.
 *
 * @param sigmoids that must be between them and the tensor
 */
function featureMaps(
  model: TfliteModel,
  joined: TfliteTensor,
  sigmoids: readonly number[],
): TfliteTensor[] {
  const { producer, sigmoids: behind } = sourceOf(model, joined);
  if (producer?.name !== 'CONCATENATION') {
    throw notSsd('CONCATENATION before the post-processing', producer?.name ?? 'nothing');
  }
  return producer.inputs.map((_, place) => {
    const joint = operandOf({ model }, producer, 'inputs', place);
    const source = sourceOf(model, joint);
    const found = behind + source.sigmoids;
    if (!sigmoids.includes(found)) {
      const expected = sigmoids.includes(1) ? 'scores of a sigmoid' : 'boxes as they are';
      throw notSsd(expected, `${found} sigmoids before the post-processing`);
    }
    return source.tensor;
  });
}

/** Whether the first column of the scores is the background: there is one more than classes. */
function hasBackground(postprocess: TfliteOperator, columns: number): boolean {
  const classes = settingOf(postprocess, 'num_classes') ?? columns - 1;
  if (classes === columns || classes === columns - 1) return classes !== columns;
  throw notSsd(`${columns} or ${columns - 1} classes`, `num_classes ${classes}`);
}

function setting(operator: TfliteOperator, key: string, fallback: number): number {
  const value = settingOf(operator, key) ?? fallback;
  if (value > 0) return value;
  throw codedError('MND_MODEL_INVALID', {
    subject: subjectOf(operator),
    expected: `${key} above 0`,
  });
}

/**
 * A number of the operator's settings (flexbuffers), read without following more of the buffer than
 * the one entry; null if it is not there. True is 1.
 */
function settingOf(operator: TfliteOperator, key: string): number | null {
  const { customOptions } = operator;
  if (customOptions === null) return null;
  try {
    const map = toReference(new Uint8Array(customOptions).buffer);
    // Keys of a map are strings, which the declaration of `get` leaves out.
    const get = map.get.bind(map) as unknown as (key: string) => ReturnType<typeof map.get>;
    const entry = get(key);
    const value = Number(entry.isBool() ? entry.boolValue() : (entry.numericValue() ?? Number.NaN));
    return Number.isFinite(value) ? value : null;
  } catch (error) {
    // The library throws text for a key that is not there, and errors for damage.
    if (typeof error === 'string' && error.includes(key)) return null;
    throw codedError('MND_MODEL_INVALID', {
      subject: subjectOf(operator),
      expected: `the setting ${key}`,
      cause: error,
    });
  }
}

/** The power of two that makes `rows` of `size` pixels, beyond that of the layer before. */
function strideOf(size: number, rows: number, previous: number): number {
  for (let stride = previous * 2; stride <= 2 * size; stride *= 2) {
    if (Math.ceil(size / stride) === rows) return stride;
  }
  throw notSsd(`feature maps of ${size} pixels over a power of two`, `${rows} rows`);
}

function describeLayers(graph: Graph, count: number, classes: number): DetectorLayer[] {
  const [, size] = nhwcShape(tensorOf(graph, INPUT_NAME));
  const layers: DetectorLayer[] = [];
  for (let index = 0; index < count; index += 1) {
    const [boxes, scores] = [`boxes_${index}`, `scores_${index}`];
    const [, rows, columns, boxChannels] = nhwcShape(tensorOf(graph, boxes));
    const [, scoreRows, scoreColumns, scoreChannels] = nhwcShape(tensorOf(graph, scores));
    const anchors = boxChannels / 4;
    const fits =
      rows === columns &&
      rows === scoreRows &&
      columns === scoreColumns &&
      scoreChannels === anchors * classes;
    if (!fits) {
      throw notSsd(
        `${anchors * classes} scores for ${rows}×${columns} pixels`,
        `${scoreChannels} for ${scoreRows}×${scoreColumns}`,
      );
    }
    const stride = strideOf(size, rows, layers.at(-1)?.stride ?? 2);
    layers.push({ boxes, scores, stride, anchors });
  }
  return layers;
}

/**
 * Reads an SSD detector that ends in TFLite_Detection_PostProcess, cut before the reshapes: outputs
 * `boxes_N` and `scores_N` are those of the convolutions, in the order of the feature maps.
 *
 * Throws MND_MODEL_INVALID, MND_MODEL_OPERATOR or MND_MODEL_SHAPE.
 */
export function detectorGraph(
  model: TfliteModel,
  postprocess: TfliteOperator,
  plan: PicturePlan,
): TfliteDetector {
  const operand = (place: number) => operandOf({ model }, postprocess, 'inputs', place);
  const boxes = featureMaps(model, operand(0), [0]);
  const scores = featureMaps(model, operand(1), [1]);
  const anchorTensor = operand(2);
  const classes = operand(1).shape.at(-1) ?? 0;
  const anchors = anchorValues(postprocess, anchorTensor);
  const outputs = new Map([
    ...boxes.map(({ index }, layer) => [index, `boxes_${layer}`] as const),
    ...scores.map(({ index }, layer) => [index, `scores_${layer}`] as const),
  ]);
  if (boxes.length !== scores.length || outputs.size !== 2 * boxes.length) {
    throw notSsd('boxes and scores of each feature map', `${boxes.length} and ${scores.length}`);
  }
  const graph = readGraph(model, outputs, plan);
  const layers = describeLayers(graph, boxes.length, classes);
  const boxScales = [
    setting(postprocess, 'y_scale', 10),
    setting(postprocess, 'x_scale', 10),
    setting(postprocess, 'h_scale', 5),
    setting(postprocess, 'w_scale', 5),
  ] as const;
  const background = hasBackground(postprocess, classes);
  const suppression = suppressionOf(postprocess);
  return { graph, layers, classes, background, anchors, boxScales, suppression };
}

/** Boxes above this number are of no use to anybody. */
const MOST_DETECTIONS = 1000;

function suppressionOf(postprocess: TfliteOperator): Suppression {
  const regular = settingOf(postprocess, 'use_regular_nms') ?? 0;
  const share = (key: string, fallback: number) => {
    const value = settingOf(postprocess, key) ?? fallback;
    return Math.min(1, Math.max(0, value));
  };
  const maxDetections = Math.round(setting(postprocess, 'max_detections', 10));
  const perClass = Math.round(setting(postprocess, 'detections_per_class', 100));
  const maxClasses = Math.round(setting(postprocess, 'max_classes_per_detection', 1));
  return {
    maxDetections: Math.min(Math.max(1, maxDetections), MOST_DETECTIONS),
    maxClassesPerBox: regular === 0 ? Math.min(Math.max(1, maxClasses), MOST_DETECTIONS) : null,
    ...(regular !== 0 && { maxPerClass: Math.max(1, perClass) }),
    overlap: share('nms_iou_threshold', 0.6),
    leastScore: share('nms_score_threshold', 0),
  };
}

/** Boxes [1, anchors, 4] and scores [1, anchors, classes] of an SSD that leaves decoding to its user. */
export interface RawSsdOutputs {
  readonly boxes: TfliteTensor;
  readonly scores: TfliteTensor;
}

/** The outputs of an SSD without post-processing; null for any other model. */
export function findRawSsd(model: TfliteModel): RawSsdOutputs | null {
  const [boxes, scores] = model.outputs.map((index) => model.tensors[index]);
  if (boxes === undefined || scores === undefined || model.outputs.length !== 2) return null;
  const [anchors] = boxes.shape.slice(1);
  const fits = boxes.shape.join() === `1,${anchors},4` && scores.shape.length === 3;
  return fits && scores.shape[1] === anchors ? { boxes, scores } : null;
}

/**
 * Reads an SSD without post-processing, cut before the reshapes: boxes and scores of each feature map
 * in turn, under the convolutions' own names. Works at any input size.
 *
 * Throws MND_MODEL_INVALID, MND_MODEL_OPERATOR or MND_MODEL_SHAPE.
 */
export function rawSsdGraph(
  model: TfliteModel,
  { boxes, scores }: RawSsdOutputs,
  plan: PicturePlan,
): Graph {
  const scoreMaps = featureMaps(model, scores, [0, 1]);
  const outputs = featureMaps(model, boxes, [0]).flatMap((box, layer) => {
    const score = scoreMaps[layer];
    return score === undefined ? [box] : [box, score];
  });
  if (outputs.length !== 2 * scoreMaps.length || new Set(outputs).size !== outputs.length) {
    throw notSsd('boxes and scores of each feature map', `${outputs.length} tensors`);
  }
  const names = new Map(outputs.map(({ index, name }) => [index, name]));
  if (new Set(names.values()).size !== names.size)
    throw notSsd('names for all outputs', 'a double');
  return freeSize(readGraph(model, names, plan));
}

/** Anchors as real numbers; they are stored as float32 or as uint8 with a scale. */
function anchorValues(operator: TfliteOperator, tensor: TfliteTensor): Float32Array {
  const stored = constantValues(operator, tensor, ['float32', 'uint8', 'int8']);
  if (tensor.shape.at(-1) !== 4)
    throw notSsd('anchors of 4 numbers', `[${tensor.shape.join(', ')}]`);
  const [scale = 1] = tensor.scale;
  const [zeroPoint = 0] = tensor.zeroPoint;
  return Float32Array.from(stored, (value) => (value - zeroPoint) * scale);
}
