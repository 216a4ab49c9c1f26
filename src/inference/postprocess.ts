import { codedError } from '../errors.js';
import {
  type BoxesHead,
  type ClassifierHead,
  type GridHead,
  type ModelHead,
  type SsdHead,
  sidesOf,
  type Variant,
} from '../models/variant.js';
import { decodeBoxes } from '../vision/boxes.js';
import { boxInFrame, type CropRegion } from '../vision/crop.js';
import type { Detection } from '../vision/detection.js';
import { decodeGrid } from '../vision/grid.js';
import { createAnchors, decodeDetections } from '../vision/ssd.js';
import { topClasses } from '../vision/topk.js';
import { keptHead } from './kept-classes.js';
import type { RunOptions } from './protocol.js';
import { THRESHOLD_RANGE } from './ranges.js';
import type { ScoredLabel } from './result.js';
import type { ort } from './runtime.js';
import { temperedScore } from './temperature.js';

/** Makes a network's outputs into labels. */
export type Postprocessor = (
  outputs: Readonly<Record<string, ort.Tensor>>,
  options: RunOptions,
  crop: CropRegion,
) => ScoredLabel[];

/** What must be known of a network to read its outputs. */
export type ReadVariant = Pick<
  Variant,
  'name' | 'model' | 'size' | 'head' | 'labels' | 'input' | 'temperature' | 'keptClasses'
>;

export function createPostprocessor(variant: ReadVariant): Postprocessor {
  const { head, temperature = 1 } = variant;
  switch (head.kind) {
    case 'classifier':
      if (!isSoftmax(head)) return tempered(classifierPostprocessor(variant, head), temperature);
      return classifierPostprocessor(variant, head, temperature);
    case 'grid':
      return tempered(gridPostprocessor(variant, head), temperature);
    case 'ssd':
      return tempered(ssdPostprocessor(variant, head), temperature);
    case 'boxes':
      return tempered(boxesPostprocessor(variant, head), temperature);
  }
}

/** Whether the scores of all classes are one whole. */
export function isSoftmax(head: ModelHead): boolean {
  return head.kind === 'classifier' && (head.scores ?? 'softmax') === 'softmax';
}

/** Each score by itself on another scale; the threshold is meant on that scale. */
function tempered(read: Postprocessor, temperature: number): Postprocessor {
  if (temperature === 1) return read;
  return (outputs, options, crop) => {
    const threshold = temperedScore(options.threshold, 1 / temperature);
    return read(outputs, { ...options, threshold }, crop).map((label) => ({
      ...label,
      score: temperedScore(label.score, temperature),
    }));
  };
}

function classifierPostprocessor(
  variant: ReadVariant,
  head: ClassifierHead,
  temperature = 1,
): Postprocessor {
  const stored = { ...head.logits, scale: head.logits.scale / temperature };
  return (outputs, options) => {
    const logits = numbers(outputs, head.logits.name);
    const classes = topClasses(logits, stored, Math.max(1, Math.trunc(options.topK)), head.scores);
    if (!Number.isFinite(classes[0]?.score)) throw notFinite(variant);
    return classes.map(({ index, score }) => ({
      index,
      label: variant.labels[index] ?? '',
      score,
      box: null,
    }));
  };
}

function ssdPostprocessor(variant: ReadVariant, whole: SsdHead): Postprocessor {
  const { keptClasses: kept } = variant;
  const head = keptHead(whole, kept);
  const anchors = createAnchors(head, variant.size, variant.size);
  return (outputs, options, crop) => {
    const layers = head.layers.map(({ boxes, scores }) => ({
      boxes: numbers(outputs, boxes.name),
      scores: numbers(outputs, scores.name),
    }));
    const threshold = Math.max(options.threshold, THRESHOLD_RANGE.min);
    const detections = decodeDetections(layers, head, anchors, { threshold });
    // Class numbers are those of all classes, whichever of them are computed.
    const numbered =
      kept === undefined
        ? detections
        : detections.map((found) => ({ ...found, index: kept[found.index] ?? 0 }));
    return inFrame(numbered, variant, crop);
  };
}

function gridPostprocessor(variant: ReadVariant, head: GridHead): Postprocessor {
  return (outputs, options, crop) => {
    const cells = numbers(outputs, head.cells.name);
    const threshold = Math.max(options.threshold, THRESHOLD_RANGE.min);
    return inFrame(decodeGrid(cells, head, threshold), variant, crop);
  };
}

function boxesPostprocessor(variant: ReadVariant, head: BoxesHead): Postprocessor {
  const sides = sidesOf(variant.input, variant.size);
  return (outputs, options, crop) => {
    const values = head.layout.outputs.map(({ name }) => numbers(outputs, name));
    const threshold = Math.max(options.threshold, THRESHOLD_RANGE.min);
    return inFrame(decodeBoxes(values, head, sides, threshold), variant, crop);
  };
}

function inFrame(
  detections: readonly Detection[],
  { labels }: ReadVariant,
  crop: CropRegion,
): ScoredLabel[] {
  return detections.map(({ index, score, box }) => ({
    index,
    label: labels[index] ?? '',
    score,
    box: boxInFrame(box, crop),
  }));
}

function numbers(
  outputs: Readonly<Record<string, ort.Tensor>>,
  name: string,
): Uint8Array | Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Uint8Array || data instanceof Float32Array) return data;
  throw codedError('MND_INFERENCE_FAILED', { subject: `output "${name}"`, found: 'no numbers' });
}

function notFinite(variant: ReadVariant): Error {
  return codedError('MND_INFERENCE_FAILED', {
    subject: variant.name,
    expected: 'finite outputs',
    next: `install ${variant.model} again`,
  });
}
