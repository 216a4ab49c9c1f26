import { probabilityOf, type Sigmoid } from './platt.js';
import { checkEmbedding, createSpace } from './space.js';
import { innerProduct } from './triangle.js';

/** A picture's embedding with what it shows; null is "none of these". */
export interface Example {
  readonly label: string | null;
  readonly embedding: Float32Array;
  readonly id?: string;
}

/** Tells taught labels by an embedding. */
export interface Head {
  /** In the order of their code units. */
  readonly labels: readonly string[];
  /** Values of an embedding. */
  readonly dimension: number;
  /**
   * Probability 0–1 of each label, in `labels`' order, each by itself: all may be low.
   *
   * @throws MND_TEACH_INVALID for an embedding of another length, or with a value that is no number
   */
  probabilities(embedding: Float32Array): Float32Array;
  /** Probability that a label must reach: at most 1 of 1000 unrelated pictures does. */
  readonly thresholds: Float32Array;
  /** What it is made of; serialise.ts writes it. */
  readonly numbers: HeadNumbers;
}

/** Everything that a head is. */
export interface HeadNumbers {
  /** What is taken from an embedding before it is set to length 1. */
  readonly centre: Float32Array;
  /** Makes probabilities of all labels' scores, so that the highest score stays the highest. */
  readonly sigmoid: Sigmoid;
  readonly classes: readonly ClassNumbers[];
}

/** A label's linear function of an embedding's place. */
export interface ClassNumbers {
  readonly label: string;
  readonly weights: Float32Array;
  readonly bias: number;
  /** Probability, 0 to 1. */
  readonly threshold: number;
}

/** @param numbers that fit each other, as trainHead and headFromJson make them */
export function createHead(numbers: HeadNumbers): Head {
  const { centre, classes, sigmoid } = numbers;
  const space = createSpace(Float64Array.from(centre));
  const lines = classes.map(({ weights, bias }) => ({ weights: Float64Array.from(weights), bias }));
  return {
    labels: classes.map(({ label }) => label),
    dimension: centre.length,
    thresholds: Float32Array.from(classes, ({ threshold }) => threshold),
    numbers,
    probabilities(embedding) {
      checkEmbedding(embedding, centre.length);
      const placed = space.place(embedding);
      return Float32Array.from(lines, ({ weights, bias }) =>
        probabilityOf(sigmoid, bias + innerProduct(weights, placed)),
      );
    },
  };
}

/** A head that says of some of its labels alone; the others still keep pictures of theirs from these. */
export function onlyLabels(head: Head, labels: readonly string[]): Head {
  const kept = head.labels.flatMap((label, index) => (labels.includes(label) ? [index] : []));
  if (kept.length === head.labels.length) return head;
  return {
    ...head,
    labels: kept.map((index) => head.labels[index] as string),
    thresholds: Float32Array.from(kept, (index) => head.thresholds[index] as number),
    probabilities(embedding) {
      const all = head.probabilities(embedding);
      return Float32Array.from(kept, (index) => all[index] as number);
    },
  };
}

/** The label that an embedding's probabilities name: the best of those that reach their threshold. */
export function namedLabel(
  { labels, thresholds }: Pick<Head, 'labels' | 'thresholds'>,
  probabilities: Float32Array,
): string | null {
  let best: string | null = null;
  let highest = 0;
  for (const [index, label] of labels.entries()) {
    const probability = probabilities[index] as number;
    if (probability < (thresholds[index] as number) || probability <= highest) continue;
    best = label;
    highest = probability;
  }
  return best;
}
