import { codedError } from '../errors.js';
import type { ModelOutput, SsdHead } from '../models/variant.js';
import { anchorsPerCell, createAnchors } from '../vision/anchors.js';
import type { Graph } from './graph.js';
import { INPUT_NAME } from './names.js';
import { nhwcShape, scalarQuantization, tensorOf } from './tensors.js';
import type { TfliteDetector } from './tflite/detector.js';

/**
 * Anchor rules of the SSD models of TensorFlow's detection zoo (ssd_anchor_generator in the
 * pipeline.config of ssd_mobilenet_v1_coco and of ssdlite_mobilenet_v2_coco, whose stored anchors
 * equal these within 1e-4).
 */
const ANCHOR_RULES = {
  minScale: 0.2,
  maxScale: 0.95,
  aspectRatios: [1, 2, 0.5, 3, 0.3333],
  reduceBoxesInLowestLayer: true,
  interpolatedScaleAspectRatio: 1,
} as const;

/** Largest difference of an anchor, as a share of the picture: quantized anchors are this coarse. */
const ANCHOR_TOLERANCE = 0.01;

/** Pixels between cells of each feature map of a float detector, whose graph does not say. */
const STRIDES = [16, 32, 64, 128, 256, 512];
const ANCHORS_IN_LOWEST_LAYER = 3;
const ANCHORS = 6;

function modelOutput(graph: Graph, name: string): ModelOutput {
  const tensor = tensorOf(graph, name);
  if (tensor.type !== 'uint8') return { name, type: 'float32', scale: 1, zeroPoint: 0 };
  return { name, type: 'uint8', ...scalarQuantization(tensor) };
}

function notTheseAnchors(expected: string, found: string): Error {
  return codedError('MND_MODEL_MISMATCH', { subject: 'detector anchors', expected, found });
}

/** The anchors in the file must be those that the rules give; ours are computed from the rules. */
function checkAnchors(detector: TfliteDetector, head: SsdHead, size: number): void {
  for (const [layer, { anchors }] of detector.layers.entries()) {
    const expected = anchorsPerCell(head, layer);
    if (anchors !== expected) {
      throw notTheseAnchors(`${expected} in each cell of layer ${layer}`, `${anchors}`);
    }
  }
  const { boxes } = createAnchors(head, size, size);
  if (boxes.length !== detector.anchors.length) {
    throw notTheseAnchors(`${boxes.length / 4} of them`, `${detector.anchors.length / 4}`);
  }
  for (const [index, value] of boxes.entries()) {
    const found = detector.anchors[index] ?? Number.NaN;
    if (!(Math.abs(found - value) <= ANCHOR_TOLERANCE)) {
      throw notTheseAnchors(`${value} in anchor ${Math.floor(index / 4)}`, `${found}`);
    }
  }
}

/**
 * The head of a TFLite SSD detector whose graph was turned into some numeric form. Throws
 * MND_MODEL_MISMATCH if its anchors are not those of TensorFlow's detection zoo.
 */
export function detectorHead(detector: TfliteDetector, graph: Graph): SsdHead {
  const [, size] = nhwcShape(tensorOf(graph, INPUT_NAME));
  const head: SsdHead = {
    kind: 'ssd',
    classes: detector.classes,
    ...(!detector.background && { background: false }),
    layers: detector.layers.map(({ boxes, scores, stride }) => ({
      boxes: modelOutput(graph, boxes),
      scores: modelOutput(graph, scores),
      stride,
    })),
    anchors: { referenceSize: size, ...ANCHOR_RULES },
    boxScales: detector.boxScales,
    suppression: detector.suppression,
  };
  checkAnchors(detector, head, size);
  return head;
}

/**
 * The head of a float SSD detector, whose outputs are boxes and scores of each layer in turn; the
 * graph was turned into some numeric form.
 *
 * @param nativeSize that the anchor rules were made for, in pixels
 * @throws MND_MODEL_MISMATCH for another head than SSD with six layers
 */
export function floatDetectorHead(graph: Graph, nativeSize: number): SsdHead {
  const outputs = graph.outputs.map((name) => modelOutput(graph, name));
  const classes = classesOf(graph);
  const layers = STRIDES.map((stride, layer) => {
    const boxes = outputs[2 * layer];
    const scores = outputs[2 * layer + 1];
    const anchors = layer === 0 ? ANCHORS_IN_LOWEST_LAYER : ANCHORS;
    requireChannels(graph, boxes, anchors * 4);
    requireChannels(graph, scores, anchors * classes);
    return { boxes, scores, stride };
  });
  if (outputs.length !== 2 * layers.length) throw notThisHead(`${outputs.length} outputs`);
  return {
    kind: 'ssd',
    classes,
    layers,
    anchors: { referenceSize: nativeSize, ...ANCHOR_RULES },
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

function requireChannels(
  graph: Graph,
  output: ModelOutput | undefined,
  channels: number,
): asserts output is ModelOutput {
  const found = output === undefined ? 'none' : tensorOf(graph, output.name).shape.at(-1);
  if (found !== channels) throw notThisHead(`${found} channels where ${channels} belong`);
}

function notThisHead(found: string): Error {
  return codedError('MND_MODEL_MISMATCH', {
    subject: 'detector head',
    expected: `${STRIDES.length} layers of boxes and scores of each class`,
    found,
  });
}
