import { codedError } from '../errors.js';
import type { ModelOutput, NumericForm, SsdHead } from '../models/variant.js';
import type { Calibration } from './calibration.js';
import { type ConvertedModel, UNCHANGED } from './converted-model.js';
import { type ChannelScales, equalizableGroups, equalizeGraph } from './equalize.js';
import type { Graph } from './graph.js';
import { writeOnnx } from './onnx/write.js';
import { quantizeGraph } from './quantize.js';
import { resolveShapes } from './resolve-shapes.js';
import { graphStatistics } from './statistics.js';
import { scalarQuantization, tensorOf } from './tensors.js';
import { readTfjs, type TfjsFiles } from './tfjs/read.js';

export interface DetectorOptions {
  /** All but `exact`, which a float network does not have. */
  readonly form: NumericForm;
  /** Needed by the forms `symmetric` and `reduced`. */
  readonly calibration: Calibration | null;
}

/**
 * Side lengths that suit the network, native first: all have 300's remainder by 32, so that the
 * padding of each strided convolution falls on the same side.
 */
const NATIVE_SIZE = 300;
const SIZES = [NATIVE_SIZE, 236, 172, 140];

const ANCHORS_IN_LOWEST_LAYER = 3;

/** Pixels between cells of each feature map. */
const STRIDES = [16, 32, 64, 128, 256, 512];

/**
 * Converts a TensorFlow.js SSD detector (Object Detection API, COCO) to ONNX: one file for all
 * input sizes, uint8 picture [1, height, width, 3] in, raw boxes and scores of each layer out.
 *
 * @throws the codes of {@link readTfjs} and {@link convertDetectorGraph}
 */
export function convertTfjs(files: TfjsFiles & DetectorOptions): ConvertedModel {
  return convertDetectorGraph(readTfjs(files), files);
}

/**
 * Writes a detector's float graph in one numeric form. The report counts multiply-adds at the native
 * size.
 *
 * @throws MND_MODEL_MISMATCH for a form or calibration that does not fit, or another head than SSD
 *   with six layers; MND_MODEL_OPERATOR
 */
export function convertDetectorGraph(source: Graph, options: DetectorOptions): ConvertedModel {
  const { graph, changes } = inForm(source, options);
  return {
    onnx: writeOnnx(graph, { metadata: { form: options.form } }),
    form: options.form,
    input: { name: graph.inputs[0] ?? '', sizes: SIZES },
    head: detectorHead(graph),
    report: { ...graphStatistics(resolveShapes(graph, NATIVE_SIZE, NATIVE_SIZE)), ...changes },
  };
}

function inForm(source: Graph, { form, calibration }: DetectorOptions) {
  if (form === 'float32') {
    return { graph: source, changes: UNCHANGED };
  }
  if (form === 'exact' || calibration === null) {
    throw codedError('MND_MODEL_MISMATCH', {
      subject: `numeric form ${form}`,
      expected: 'float32, or symmetric or reduced with a calibration',
      found: calibration === null ? 'no calibration' : 'a float network',
    });
  }
  const { graph, report } = quantizeGraph(
    equalizeGraph(source, calibration.channelScales),
    calibration,
    form === 'reduced',
  );
  const { raisedChannels, largestWeightError } = report;
  const rescaledChannels = rescaled(source, calibration.channelScales);
  return { graph, changes: { raisedChannels, rescaledChannels, largestWeightError } };
}

/** Channels of convolutions whose results equalization divided by something other than 1. */
function rescaled(graph: Graph, scales: ChannelScales): number {
  const convolutions = new Set(
    graph.operators.filter(({ kind }) => kind === 'conv').map(({ output }) => output),
  );
  let count = 0;
  for (const group of equalizableGroups(graph)) {
    const changed = (scales.get(group[0] ?? '') ?? []).filter((scale) => scale !== 1).length;
    count += changed * group.filter((name) => convolutions.has(name)).length;
  }
  return count;
}

/**
 * The head of ssdlite_mobilenet_v2_coco, whose pipeline.config gives the anchor rules (its anchors
 * equal the ones stored in the model within 1e-4). Outputs are boxes and scores of each layer.
 */
function detectorHead(graph: Graph): SsdHead {
  const outputs = graph.outputs.map((name) => modelOutput(graph, name));
  const classes = classesOf(graph);
  const layers = STRIDES.map((stride, layer) => {
    const boxes = outputs[2 * layer];
    const scores = outputs[2 * layer + 1];
    const anchors = layer === 0 ? ANCHORS_IN_LOWEST_LAYER : 6;
    requireChannels(graph, boxes, anchors * 4);
    requireChannels(graph, scores, anchors * classes);
    return { boxes, scores, stride };
  });
  if (outputs.length !== 2 * layers.length) throw notThisHead(`${outputs.length} outputs`);
  return {
    kind: 'ssd',
    classes,
    layers,
    anchors: {
      referenceSize: NATIVE_SIZE,
      minScale: 0.2,
      maxScale: 0.95,
      aspectRatios: [1, 2, 0.5, 3, 0.3333],
      reduceBoxesInLowestLayer: true,
      interpolatedScaleAspectRatio: 1,
    },
    boxScales: [10, 10, 5, 5],
  };
}

/** Columns of scores, the background included, by the channels of the lowest layer's. */
function classesOf(graph: Graph): number {
  const [, scores = ''] = graph.outputs;
  const channels = graph.tensors.get(scores)?.shape.at(-1) ?? 0;
  const classes = channels / ANCHORS_IN_LOWEST_LAYER;
  if (!Number.isInteger(classes) || classes < 2) throw notThisHead(`${channels} scores of a cell`);
  return classes;
}

function modelOutput(graph: Graph, name: string): ModelOutput {
  const tensor = tensorOf(graph, name);
  if (tensor.type !== 'uint8') return { name, type: 'float32', scale: 1, zeroPoint: 0 };
  return { name, type: 'uint8', ...scalarQuantization(tensor) };
}

function requireChannels(
  graph: Graph,
  output: ModelOutput | undefined,
  channels: number,
): asserts output is ModelOutput {
  const found = output === undefined ? 'none' : tensorOf(graph, output.name).shape.at(-1);
  if (found !== channels) throw notThisHead(`${found} channels where ${channels} belong`);
}

function notThisHead(found: string) {
  return codedError('MND_MODEL_MISMATCH', {
    subject: 'detector head',
    expected: `${STRIDES.length} layers of boxes and scores of each class`,
    found,
  });
}
