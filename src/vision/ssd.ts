import { codedError } from '../errors.js';
import type { ModelOutput, SsdHead } from '../models/variant.js';
import type { Anchors } from './anchors.js';
import { type Corners, clipped, type Detection, overlap, type StoredValues } from './detection.js';

export { type Anchors, createAnchors } from './anchors.js';
export type { Detection, StoredValues } from './detection.js';

/** One layer's raw outputs, NHWC: [1, rows, columns, anchors·4] and [1, rows, columns, anchors·classes]. */
export interface SsdLayerValues {
  readonly boxes: StoredValues;
  readonly scores: StoredValues;
}

export interface DetectionOptions {
  /** Least score that counts, 0 to 1. */
  readonly threshold: number;
  /** Boxes that overlap more than this are one object, 0 to 1; default: the head's own, or 0.6. */
  readonly iouThreshold?: number;
  /** Default: the head's own, or 100. */
  readonly maxDetections?: number;
}

/** Candidates of the call at work, kept between calls so that a frame allocates nothing large. */
interface Scratch {
  logits: Float32Array;
  anchors: Int32Array;
  classes: Int32Array;
  order: Uint32Array;
  count: number;
}

const scratch: Scratch = {
  logits: new Float32Array(1024),
  anchors: new Int32Array(1024),
  classes: new Int32Array(1024),
  order: new Uint32Array(1024),
  count: 0,
};

/**
 * From raw SSD outputs to objects, best first: sigmoid scores, boxes decoded against their anchors
 * (Liu et al. 2016, §2.1, with the divisors of `boxScales`), greedy non-maximum suppression within
 * each class, boxes clipped to the picture afterwards (empty ones dropped), as TensorFlow's Object
 * Detection API does. Scores are compared as stored, before any sigmoid.
 *
 * @throws MND_MODEL_MISMATCH if an output has another length than head and anchors say
 */
export function decodeDetections(
  outputs: readonly SsdLayerValues[],
  head: SsdHead,
  anchors: Anchors,
  options: DetectionOptions,
): Detection[] {
  requireLengths(outputs, head, anchors);
  const { suppression } = head;
  const threshold = Math.max(options.threshold, suppression?.leastScore ?? 0);
  const rules: SuppressionRules = {
    overlap: options.iouThreshold ?? suppression?.overlap ?? 0.6,
    maxDetections: options.maxDetections ?? suppression?.maxDetections ?? 100,
    maxClassesPerBox: suppression?.maxClassesPerBox ?? null,
    maxPerClass: suppression?.maxPerClass ?? Number.POSITIVE_INFINITY,
  };
  scratch.count = 0;
  head.layers.forEach((layer, index) => {
    const values = outputs[index];
    const first = anchors.layers[index]?.first ?? 0;
    if (values !== undefined) {
      collect(values.scores, layer.scores, head, first, logitOf(threshold));
    }
  });
  const order = scratch.order.subarray(0, scratch.count);
  for (let i = 0; i < order.length; i++) order[i] = i;
  const { logits } = scratch;
  order.sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
  return suppress(order, outputs, head, anchors, rules);
}

/** Appends all scores of one layer that reach the threshold; NaN never does. */
function collect(
  values: StoredValues,
  output: ModelOutput,
  { classes, background = true }: SsdHead,
  firstAnchor: number,
  leastLogit: number,
): void {
  const { scale, zeroPoint } = output;
  const least = leastStored(output, leastLogit);
  // Two loops of one kind of array each stay monomorphic, which is what makes them fast.
  const append = (at: number, stored: number) => {
    if (background && at % classes === 0) return;
    if (scratch.count === scratch.logits.length) grow();
    scratch.logits[scratch.count] = scale * (stored - zeroPoint);
    scratch.anchors[scratch.count] = firstAnchor + Math.floor(at / classes);
    scratch.classes[scratch.count] = at % classes;
    scratch.count++;
  };
  if (values instanceof Uint8Array) scanBytes(values, least, append);
  else scanFloats(values, least, append);
}

type Append = (at: number, stored: number) => void;

function scanBytes(values: Uint8Array, least: number, append: Append): void {
  for (let at = 0; at < values.length; at++) {
    const stored = values[at] ?? 0;
    if (stored >= least) append(at, stored);
  }
}

function scanFloats(values: Float32Array, least: number, append: Append): void {
  for (let at = 0; at < values.length; at++) {
    const stored = values[at] ?? 0;
    if (stored >= least) append(at, stored);
  }
}

/** The smallest stored value that stands for at least `logit`. */
function leastStored({ type, scale, zeroPoint }: ModelOutput, logit: number): number {
  const stored = logit / scale + zeroPoint;
  // The tolerance keeps a threshold that falls on a step from losing it to rounding.
  return type === 'uint8' ? Math.ceil(stored - 1e-9) : stored;
}

function grow(): void {
  const size = scratch.logits.length * 2;
  const { logits, anchors, classes } = scratch;
  scratch.logits = new Float32Array(size);
  scratch.logits.set(logits);
  scratch.anchors = new Int32Array(size);
  scratch.anchors.set(anchors);
  scratch.classes = new Int32Array(size);
  scratch.classes.set(classes);
  scratch.order = new Uint32Array(size);
}

interface SuppressionRules {
  readonly overlap: number;
  readonly maxDetections: number;
  readonly maxClassesPerBox: number | null;
  readonly maxPerClass: number;
}

interface Kept {
  readonly anchor: number;
  readonly index: number;
  readonly corners: Corners;
  readonly logit: number;
}

/**
 * Greedy, the best first. Class by class a box goes that overlaps a better one of its own class. Over
 * all classes an anchor counts by its best class, and goes if it overlaps any better anchor; each that
 * is left names its best few classes (the "fast" suppression of TFLite_Detection_PostProcess).
 */
function suppress(
  order: Uint32Array,
  outputs: readonly SsdLayerValues[],
  head: SsdHead,
  anchors: Anchors,
  { overlap: most, maxDetections, maxClassesPerBox, maxPerClass }: SuppressionRules,
): Detection[] {
  const kept: Kept[] = [];
  const named = new Map<number, number>();
  const dropped = new Set<number>();
  for (const candidate of order) {
    if (maxClassesPerBox === null && kept.length >= maxDetections) break;
    const anchor = scratch.anchors[candidate] ?? 0;
    const index = scratch.classes[candidate] ?? 0;
    const logit = scratch.logits[candidate] ?? 0;
    const before = named.get(anchor) ?? 0;
    if (maxClassesPerBox !== null) {
      // Boxes count, not the names that each of them has.
      const full = before === 0 && named.size >= maxDetections;
      if (full || dropped.has(anchor) || before >= maxClassesPerBox) continue;
    } else if (kept.filter((other) => other.index === index).length >= maxPerClass) continue;
    const corners = decodeBox(anchor, outputs, head, anchors);
    const overlaps = kept.some(
      (other) =>
        (maxClassesPerBox === null ? other.index === index : other.anchor !== anchor) &&
        overlap(other.corners, corners) > most,
    );
    if (overlaps) {
      dropped.add(anchor);
      continue;
    }
    named.set(anchor, before + 1);
    kept.push({ anchor, index, corners, logit });
  }
  return detectionsOf(kept);
}

function detectionsOf(kept: readonly Kept[]): Detection[] {
  return kept.flatMap(({ index, corners, logit }) => {
    const box = clipped(corners);
    return box === null ? [] : [{ index, score: sigmoid(logit), box }];
  });
}

function decodeBox(
  anchor: number,
  outputs: readonly SsdLayerValues[],
  head: SsdHead,
  anchors: Anchors,
): Corners {
  const layer = anchors.layers.findLastIndex(({ first }) => first <= anchor);
  const values = outputs[layer]?.boxes ?? new Float32Array(0);
  const { scale = 1, zeroPoint = 0 } = head.layers[layer]?.boxes ?? {};
  const at = (anchor - (anchors.layers[layer]?.first ?? 0)) * 4;
  const encoded = (i: 0 | 1 | 2 | 3) => {
    return (scale * ((values[at + i] ?? 0) - zeroPoint)) / head.boxScales[i];
  };
  const [centreY = 0, centreX = 0, anchorHeight = 0, anchorWidth = 0] = anchors.boxes.subarray(
    anchor * 4,
    anchor * 4 + 4,
  );
  const y = encoded(0) * anchorHeight + centreY;
  const x = encoded(1) * anchorWidth + centreX;
  const height = Math.exp(encoded(2)) * anchorHeight;
  const width = Math.exp(encoded(3)) * anchorWidth;
  return {
    top: y - height / 2,
    left: x - width / 2,
    bottom: y + height / 2,
    right: x + width / 2,
  };
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Inverse of the sigmoid; −∞ for 0 and ∞ for 1. */
function logitOf(score: number): number {
  return Math.log(score / (1 - score));
}

function requireLengths(outputs: readonly SsdLayerValues[], head: SsdHead, anchors: Anchors): void {
  head.layers.forEach(({ boxes, scores }, index) => {
    const layer = anchors.layers[index];
    const values = outputs[index];
    const count = layer === undefined ? 0 : layer.rows * layer.columns * layer.anchorsPerCell;
    requireLength(boxes.name, values?.boxes.length, count * 4);
    requireLength(scores.name, values?.scores.length, count * head.classes);
  });
}

function requireLength(name: string, found: number | undefined, expected: number): void {
  if (found === expected) return;
  throw codedError('MND_MODEL_MISMATCH', {
    subject: `output ${name}`,
    expected: `${expected} values`,
    found: `${found ?? 'none'}`,
  });
}
