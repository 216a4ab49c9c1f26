import { codedError } from '../errors.js';
import { type ClassNumbers, createHead, type Example, type Head } from './head.js';
import { openSetThreshold } from './open-set.js';
import { choosePenalty } from './penalty.js';
import { fitSigmoid, probabilityOf, type Sigmoid } from './platt.js';
import { type HeadReport, reportOf } from './report.js';
import { fitRidge } from './ridge.js';
import { checkEmbedding, createSpace, meanOf } from './space.js';
import { gramMatrix } from './triangle.js';

export interface Trained {
  readonly head: Head;
  readonly report: HeadReport;
}

/** Pictures that a head can be made of. */
export const MAX_EXAMPLES = 2000;

/** Unrelated embeddings that are fitted beside them; more are judged, and count for the thresholds. */
const MAX_FITTED = 2200;

/**
 * Makes a head of examples: ridge regression, each label against the rest, with a penalty chosen by leaving
 * each picture out; probabilities by Platt's sigmoid, thresholds by unrelated pictures, all on scores of
 * fits that have not seen the picture. Closed form; the same examples in the same order give the same head.
 *
 * @param examples at least one of a label; at most {@link MAX_EXAMPLES}
 * @param negatives embeddings of unrelated pictures, by the same network at the same size
 * @throws MND_TEACH_INVALID
 */
export function trainHead(
  examples: readonly Example[],
  negatives: readonly Float32Array[],
): Trained {
  const labels = labelsOf(examples);
  const dimension = examples[0]?.embedding.length ?? 0;
  for (const { embedding, id } of examples) checkEmbedding(embedding, dimension, id);
  for (const embedding of negatives) checkEmbedding(embedding, dimension, 'unrelated embedding');

  const rows = rowsOf(labels, examples, negatives);
  const space = createSpace(centreOf(examples, negatives, dimension));
  const places = rows.fitted.map((embedding) => space.place(embedding));
  const kernel = gramMatrix(places);
  // A constant beside each embedding: the bias, with a penalty like the other weights.
  for (let k = 0; k < kernel.values.length; k += 1) {
    kernel.values[k] = (kernel.values[k] as number) + 1;
  }
  const penalty = choosePenalty({
    kernel,
    weights: rows.weights,
    targets: rows.targets,
    counts: (row, target) => rows.groups[row] !== target || (rows.counts[target] as number) > 1,
  });
  const fit = fitRidge(kernel, rows.weights, rows.targets, penalty);

  const classes = labels.map((label, target) => {
    const coefficients = fit.coefficients[target] as Float64Array;
    const told = fit.leaveOneOut[target] as Float64Array;
    const { weights, bias } = linearOf(places, coefficients, dimension);
    const score = (embedding: Float32Array) => scoreOf(weights, bias, space.place(embedding));
    const foreign = Float64Array.from([
      ...told.filter((_, row) => (rows.groups[row] as number) >= labels.length),
      ...rows.judged.map(score),
    ]);
    const own = told.filter((_, row) => rows.groups[row] === target);
    const rest = told.filter((_, row) => rows.groups[row] !== target);
    const limit = openSetThreshold(foreign);
    const sigmoid =
      (own.length > 1 ? fitSigmoid(own, rest) : null) ??
      assumedSigmoid(meanScore(examples, label, score), limit);
    const threshold = Number.isFinite(limit) ? justAbove(probabilityOf(sigmoid, limit)) : 0;
    return { label, weights, bias, sigmoid, threshold } satisfies ClassNumbers;
  });
  const head = createHead({ centre: Float32Array.from(space.centre), classes });
  const told = rows.fitted.map((_, row) =>
    Float32Array.from(classes, ({ sigmoid }, target) =>
      probabilityOf(sigmoid, fit.leaveOneOut[target]?.[row] as number),
    ),
  );
  const report = reportOf({
    labels,
    thresholds: head.thresholds,
    penalty,
    examples: examples.map((example, row) => ({
      example,
      probabilities: told[row] as Float32Array,
    })),
    negatives: [
      ...told.slice(examples.length),
      ...rows.judged.map((embedding) => head.probabilities(embedding)),
    ],
  });
  return { head, report };
}

function labelsOf(examples: readonly Example[]): string[] {
  const labels = [...new Set(examples.flatMap(({ label }) => label ?? []))].sort();
  const subject = 'examples';
  if (labels.length === 0) {
    throw codedError('MND_TEACH_INVALID', {
      subject,
      expected: 'a picture of a label',
      found: `${examples.length} of none`,
      next: 'add pictures of what is to be told',
    });
  }
  if (examples.length > MAX_EXAMPLES) {
    throw codedError('MND_TEACH_INVALID', {
      subject,
      expected: `at most ${MAX_EXAMPLES} pictures`,
      found: `${examples.length}`,
      next: 'take out those that are alike',
    });
  }
  return labels;
}

interface Rows {
  /** Examples, then unrelated embeddings. */
  readonly fitted: readonly Float32Array[];
  /** Unrelated embeddings that are left out of the fit. */
  readonly judged: readonly Float32Array[];
  /** Number of a row's label; then "none of these"; then unrelated. */
  readonly groups: Int32Array;
  /** Rows of each group. */
  readonly counts: Int32Array;
  /** All groups weigh the same; the mean weight is 1. */
  readonly weights: Float64Array;
  /** 1 for a label's rows, −1 for all others; by label. */
  readonly targets: readonly Float64Array[];
}

function rowsOf(
  labels: readonly string[],
  examples: readonly Example[],
  negatives: readonly Float32Array[],
): Rows {
  const room = Math.max(0, Math.min(negatives.length, MAX_FITTED - examples.length));
  // Evenly out of all, so that each kind of picture in them is fitted.
  const isFitted = (index: number) =>
    Math.floor(((index + 1) * room) / negatives.length) >
    Math.floor((index * room) / negatives.length);
  const fitted = [
    ...examples.map(({ embedding }) => embedding),
    ...negatives.filter((_, index) => isFitted(index)),
  ];
  const groups = Int32Array.from(fitted, (_, row) => {
    const example = examples[row];
    if (example === undefined) return labels.length + 1;
    return example.label === null ? labels.length : labels.indexOf(example.label);
  });
  const counts = new Int32Array(labels.length + 2);
  for (const group of groups) counts[group] = (counts[group] as number) + 1;
  const present = counts.filter((count) => count > 0).length;
  return {
    fitted,
    judged: negatives.filter((_, index) => !isFitted(index)),
    groups,
    counts,
    weights: Float64Array.from(
      groups,
      (group) => fitted.length / (present * (counts[group] as number)),
    ),
    targets: labels.map((_, label) =>
      Float64Array.from(groups, (group) => (group === label ? 1 : -1)),
    ),
  };
}

/** Of unrelated pictures; where there are none, of all examples, which must then be several. */
function centreOf(
  examples: readonly Example[],
  negatives: readonly Float32Array[],
  dimension: number,
): Float64Array {
  const base = negatives.length > 0 ? negatives : examples.map(({ embedding }) => embedding);
  const mean = base.length > 1 ? meanOf(base, dimension) : new Float64Array(dimension);
  return mean.map(Math.fround);
}

/** A label's function of an embedding's place. */
function linearOf(
  places: readonly Float64Array[],
  coefficients: Float64Array,
  dimension: number,
): Pick<ClassNumbers, 'weights' | 'bias'> {
  const weights = new Float64Array(dimension);
  let bias = 0;
  for (const [row, place] of places.entries()) {
    const coefficient = coefficients[row] as number;
    bias += coefficient;
    for (let k = 0; k < dimension; k += 1) {
      weights[k] = (weights[k] as number) + coefficient * (place[k] as number);
    }
  }
  return { weights: Float32Array.from(weights), bias };
}

function scoreOf(weights: Float32Array, bias: number, place: Float64Array): number {
  let score = bias;
  for (let k = 0; k < place.length; k += 1) score += (weights[k] as number) * (place[k] as number);
  return score;
}

/** Of a label's own pictures, which the fit has seen. */
function meanScore(
  examples: readonly Example[],
  label: string,
  score: (embedding: Float32Array) => number,
): number {
  const own = examples.filter((example) => example.label === label);
  return own.reduce((sum, { embedding }) => sum + score(embedding), 0) / own.length;
}

/** Probability that a picture which was fitted has, where nothing else is known of a label. */
const ASSUMED = 0.9;

/**
 * For a label that nothing is known of but what the fit says of its own pictures, one for instance: even
 * odds lie midway between the highest that unrelated pictures reach and that.
 */
function assumedSigmoid(own: number, limit: number): Sigmoid {
  const low = Number.isFinite(limit) ? limit : -1;
  const half = Math.max((own - low) / 2, 0.05);
  const slope = -Math.log(ASSUMED / (1 - ASSUMED)) / half;
  return { slope, offset: -slope * (low + half) };
}

/** The next larger number of single precision: what has the probability itself does not reach it. */
function justAbove(probability: number): number {
  return Math.fround(Math.fround(probability) * (1 + 2 ** -22));
}
