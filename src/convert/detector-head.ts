import { codedError } from '../errors.js';
import type { SsdHead } from '../models/variant.js';
import { anchorsPerCell, createAnchors } from '../vision/anchors.js';
import type { Graph } from './graph.js';
import { nhwcShape, scalarQuantization, tensorOf } from './tensors.js';
import type { TfliteDetector } from './tflite/detector.js';
import { INPUT_NAME } from './tflite/picture.js';

/**
 * Anchor rules of the SSD models of TensorFlow's detection zoo (ssd_mobilenet_v1_coco's
 * pipeline.config: ssd_anchor_generator).
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

function modelOutput(graph: Graph, name: string) {
  const tensor = tensorOf(graph, name);
  if (tensor.type !== 'uint8') return { name, type: 'float32', scale: 1, zeroPoint: 0 } as const;
  return { name, type: 'uint8', ...scalarQuantization(tensor) } as const;
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
    layers: detector.layers.map(({ boxes, scores, stride }) => ({
      boxes: modelOutput(graph, boxes),
      scores: modelOutput(graph, scores),
      stride,
    })),
    anchors: { referenceSize: size, ...ANCHOR_RULES },
    boxScales: detector.boxScales,
  };
  checkAnchors(detector, head, size);
  return head;
}
