import { codedError } from '../errors.js';
import type { ModelHead, NumericForm, ScoreKind } from '../models/variant.js';
import type { Calibration } from './calibration.js';
import { classifierHead } from './classifier-head.js';
import { type ConvertedModel, UNCHANGED } from './converted-model.js';
import { detectorHead } from './detector-head.js';
import { convertDetectorGraph, quantizeCalibrated } from './float-detector.js';
import type { Graph } from './graph.js';
import { gridHead } from './grid-head.js';
import { INPUT_NAME, LOGITS_NAME } from './names.js';
import { writeOnnx } from './onnx/write.js';
import { dequantize } from './passes/dequantize.js';
import { symmetricWeights } from './passes/symmetric.js';
import { NO_PICTURE_OPTIONS, type PictureOptions } from './scaling.js';
import { graphStatistics } from './statistics.js';
import { nhwcShape, tensorOf } from './tensors.js';
import {
  detectorGraph,
  findPostprocess,
  findRawSsd,
  rawSsdGraph,
  type TfliteDetector,
} from './tflite/detector.js';
import { CELLS_NAME, gridGraph, type TfliteGrid } from './tflite/grid.js';
import { readTfliteMetadata } from './tflite/metadata.js';
import { parseTflite } from './tflite/model.js';
import { planPicture } from './tflite/picture.js';
import { classifierGraph } from './tflite/read.js';
import { refuseStrangers } from './tflite/strangers.js';

export type { ConversionReport, ConvertedModel } from './converted-model.js';

function inForm(source: Graph, form: NumericForm, calibration: Calibration | null) {
  if (isFloat(source)) {
    if (form === 'float32') return { graph: source, changes: UNCHANGED };
    if (form !== 'exact' && calibration !== null) {
      return quantizeCalibrated(source, calibration, form === 'reduced');
    }
    throw codedError('MND_MODEL_MISMATCH', {
      subject: `numeric form ${form}`,
      expected: 'float32; the others need pictures to calibrate with',
      found: 'a float network',
      next: 'give --calibrate FOLDER',
    });
  }
  if (form === 'float32') return { graph: dequantize(source), changes: UNCHANGED };
  if (form === 'exact') return { graph: source, changes: UNCHANGED };
  const { graph, report } = symmetricWeights(source, form === 'reduced');
  const { raisedChannels, rescaledChannels, largestWeightError } = report;
  return { graph, changes: { raisedChannels, rescaledChannels, largestWeightError } };
}

/** A network as it was read, before it takes a numeric form. */
export type SourceNetwork =
  | { readonly kind: 'classifier'; readonly graph: Graph; readonly scores: ScoreKind }
  | ({ readonly kind: 'grid' } & TfliteGrid)
  | ({ readonly kind: 'detector' } & TfliteDetector)
  /** An SSD of real numbers, without anchors, for any input size. */
  | { readonly kind: 'float-detector'; readonly graph: Graph };

export interface ConvertOptions {
  readonly form: NumericForm;
  /** What quantizing a float network needs to know; null or absent for any other network. */
  readonly calibration?: Calibration | null;
  /** What is known of the picture beside what the file says; absent: nothing. */
  readonly picture?: PictureOptions;
}

/** True if a network has real numbers where others have quantized ones. */
export function isFloat(graph: Graph): boolean {
  return graph.operators.some(({ kind }) => kind === 'normalize');
}

/**
 * Reads a TFLite model (uint8, int8, or float with float32 or float16 weights) with one picture as
 * input, whose numbers must be known: a detector if it ends in TFLite_Detection_PostProcess or in the
 * boxes and scores that this operator would take, a grid if it ends in a map, else a classifier.
 *
 * Throws MND_MODEL_TRUNCATED, MND_MODEL_INVALID, MND_MODEL_OPERATOR, MND_MODEL_SHAPE or
 * MND_MODEL_TOO_LARGE, naming the operator, the tensor or the offset.
 */
export function readTflite(
  bytes: Uint8Array,
  options: PictureOptions = NO_PICTURE_OPTIONS,
): SourceNetwork {
  const model = parseTflite(bytes);
  refuseStrangers(model);
  const plan = planPicture(model, readTfliteMetadata(bytes), options);
  const postprocess = findPostprocess(model);
  if (postprocess !== null) {
    return { kind: 'detector', ...detectorGraph(model, postprocess, plan) };
  }
  const raw = findRawSsd(model);
  if (raw === null) {
    const grid = gridGraph(model, plan);
    if (grid !== null) return { kind: 'grid', ...grid };
    return { kind: 'classifier', ...classifierGraph(model, plan) };
  }
  const graph = rawSsdGraph(model, raw, plan);
  if (isFloat(graph)) return { kind: 'float-detector', graph };
  throw codedError('MND_MODEL_SHAPE', {
    subject: 'detector head',
    expected: 'TFLite_Detection_PostProcess at the end of a quantized detector',
    found: 'raw boxes and scores',
  });
}

/** Writes a network in one numeric form. Throws MND_MODEL_SHAPE, MND_MODEL_INVALID or _MISMATCH. */
export function convertNetwork(network: SourceNetwork, options: ConvertOptions): ConvertedModel {
  if (network.kind === 'float-detector') {
    return convertDetectorGraph(network.graph, { calibration: null, ...options });
  }
  const { graph, changes } = inForm(network.graph, options.form, options.calibration ?? null);
  const [, height, width] = nhwcShape(tensorOf(graph, INPUT_NAME));
  const sides = height === width ? {} : { sides: [height, width] as const };
  return {
    onnx: writeOnnx(graph, { metadata: { form: options.form } }),
    form: options.form,
    input: { name: INPUT_NAME, sizes: [Math.max(height, width)], ...sides },
    head: headOf(network, graph),
    report: { ...graphStatistics(graph), ...changes },
  };
}

/** @param graph the network's, in a numeric form */
function headOf(
  network: Exclude<SourceNetwork, { kind: 'float-detector' }>,
  graph: Graph,
): ModelHead {
  switch (network.kind) {
    case 'detector':
      return detectorHead(network, graph);
    case 'grid':
      return gridHead(graph, CELLS_NAME, network.scores, network.shape);
    case 'classifier':
      return classifierHead(graph, LOGITS_NAME, network.scores);
  }
}

/**
 * Converts a quantized TFLite model (uint8 or int8) to ONNX. The input is always a uint8 RGB picture
 * [1, size, size, 3]. A classifier's output is its logits [1, classes] (softmax is left to the
 * caller), a detector's are the raw boxes and scores of each feature map, NHWC; all of them uint8 in
 * the integer forms, float32 in the form `float32`.
 *
 * Throws MND_MODEL_TRUNCATED, MND_MODEL_INVALID, MND_MODEL_OPERATOR, MND_MODEL_SHAPE,
 * MND_MODEL_TOO_LARGE or MND_MODEL_MISMATCH.
 */
export function convertTflite(bytes: Uint8Array, options: ConvertOptions): ConvertedModel {
  return convertNetwork(readTflite(bytes, options.picture), options);
}
