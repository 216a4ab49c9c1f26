import { codedError } from '../errors.js';
import { hardestOf, type Tried, withBarrier } from './barrier.js';
import { type ClassNumbers, createHead, type Example, type Head } from './head.js';
import { CHOSEN_SHARE, limitsOf, shareOf } from './limits.js';
import { choosePenalty, choosePenaltyAlone, SINGLE_PENALTY } from './penalty.js';
import { fitSigmoid, probabilityOf, type Sigmoid } from './platt.js';
import { type HeadReport, reportOf } from './report.js';
import { fitRidge, type RidgeFit } from './ridge.js';
import { evenly, type Rows, rowsOf, someOfEach } from './rows.js';
import { checkEmbedding, createSpace, meanOf, type Space } from './space.js';
import { innerProduct } from './triangle.js';

export interface Trained {
  readonly head: Head;
  readonly report: HeadReport;
}

/** Pictures that a head can be made of. */
export const MAX_EXAMPLES = 2000;

/** Rows that are fitted: a factorisation costs their number's third power. */
const FITTED = { examples: 1000, negatives: 500 };
/**
 * Rows by which a penalty is chosen: each that is tried costs a factorisation. A label alone is judged by the tail
 * of unrelated pictures: it takes what room there is for those.
 */
const TRIED = { examples: 250, negatives: 150 };
/**
 * With how many others a picture is left out to see what one more is worth: of few pictures that is much, and
 * costs little; of many it is nothing, and would cost more than the fit.
 */
const PARTNERS = { most: 4, examples: 400 };

/**
 * Makes a head of examples: ridge regression, each label against the rest, with a penalty chosen by leaving
 * pictures out; probabilities by Platt's sigmoid, thresholds by unrelated pictures, all on scores of fits
 * that have not seen the picture. Closed form; the same examples in the same order give the same head.
 * Of more than 1000 pictures, as many of each label are fitted, and the others are judged by that.
 *
 * @param examples at least one of a label; at most {@link MAX_EXAMPLES}
 * @param negatives embeddings of unrelated pictures, by the same network at the same size; neighbours may
 *   be of one picture
 * @throws MND_TEACH_INVALID
 */
export function trainHead(
  examples: readonly Example[],
  negatives: readonly Float32Array[],
): Trained {
  const trained = trainOnce(examples, negatives);
  const report = withBarrier(trained, (left) => {
    const others = examples.filter(({ id }) => id !== left);
    return trainOnce(others, negatives, trained.chosen).report;
  });
  return { head: trained.head, report };
}

interface Chosen {
  readonly penalty: number;
  readonly share: number;
}

/** @param known of a fit of nearly the same examples; default: chosen */
function trainOnce(
  examples: readonly Example[],
  negatives: readonly Float32Array[],
  known?: Chosen,
): Trained & Tried & { readonly chosen: Chosen } {
  const labels = labelsOf(examples);
  const dimension = examples[0]?.embedding.length ?? 0;
  for (const { embedding, id } of examples) checkEmbedding(embedding, dimension, id);
  for (const embedding of negatives) checkEmbedding(embedding, dimension, 'unrelated embedding');

  const space = createSpace(centreOf(examples, negatives, dimension));
  const fitted = someOfEach(examples, FITTED.examples);
  const chosen = known ?? penaltyOf(labels, examples, negatives, space);
  const { penalty, share } = chosen;
  const rows = rowsOf(labels, fitted, evenly(negatives, FITTED.negatives), space);
  const partners = Math.min(PARTNERS.most, Math.floor(PARTNERS.examples / fitted.length));
  const fit = fitRidge(rows, penalty, partners);
  const lines = fit.coefficients.map((coefficients) => linearOf(rows.places, coefficients));
  const sigmoid = sigmoidOf(rows, fit, lines);
  const isForeign = (_: number, row: number) => (rows.groups[row] as number) >= labels.length;
  const limits = limitsOf(
    fit.leftOut.map((scores) => scores.filter(isForeign)),
    share,
  );
  const head = createHead({
    centre: Float32Array.from(space.centre),
    sigmoid,
    classes: labels.map((label, target) => ({
      label,
      ...(lines[target] as Line),
      threshold: thresholdOf(sigmoid, limits[target] as number),
    })),
  });
  const toldBy = (leftOut: RidgeFit['leftOut'], row: number) =>
    Float32Array.from(leftOut, (scores) => probabilityOf(sigmoid, scores[row] as number));
  const told = rows.places.map((_, row) => toldBy(fit.leftOut, row));
  const rowOf = new Map(fitted.map((example, row) => [example, row]));
  const report = reportOf({
    labels,
    thresholds: head.thresholds,
    penalty,
    examples: examples.map((example) => {
      const row = rowOf.get(example);
      if (row === undefined) {
        return { example, probabilities: head.probabilities(example.embedding), oneLess: [] };
      }
      const hasThree = (rows.counts[rows.groups[row] as number] as number) > 2;
      return {
        example,
        probabilities: told[row] as Float32Array,
        oneLess: hasThree ? fit.oneLess.map((leftOut) => toldBy(leftOut, row)) : [],
      };
    }),
    negatives: told.slice(fitted.length),
  });
  return { head, report, hardest: hardestOf(fit.leftOut, fitted), chosen };
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

/** The penalty, and what the rules of a label's limit may let through with it. */
function penaltyOf(
  labels: readonly string[],
  examples: readonly Example[],
  negatives: readonly Float32Array[],
  space: Space,
): Chosen {
  const share = shareOf(labels.length);
  const tried = someOfEach(examples, TRIED.examples);
  const isAlone = labels.length === 1 && negatives.length > 0;
  const room = isAlone ? TRIED.examples - tried.length : 0;
  const rows = rowsOf(labels, tried, evenly(negatives, TRIED.negatives + room), space);
  const { groups, counts } = rows;
  if (!counts.subarray(0, labels.length).some((count) => count > 1)) {
    return { penalty: SINGLE_PENALTY, share };
  }
  if (isAlone) {
    const own = (row: number) => groups[row] === 0;
    const unrelated = (row: number) => (groups[row] as number) > labels.length;
    const penalty = choosePenaltyAlone(rows, { own, unrelated }, CHOSEN_SHARE);
    return { penalty, share: CHOSEN_SHARE };
  }
  const penalty = choosePenalty(
    rows,
    (row, target) => groups[row] !== target || (counts[target] as number) > 1,
  );
  return { penalty, share };
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

type Line = Pick<ClassNumbers, 'weights' | 'bias'>;

/** A label's function of an embedding's place. */
function linearOf(places: readonly Float64Array[], coefficients: Float64Array): Line {
  const weights = new Float64Array(places[0]?.length ?? 0);
  let bias = 0;
  for (const [row, place] of places.entries()) {
    const coefficient = coefficients[row] as number;
    bias += coefficient;
    for (let k = 0; k < weights.length; k += 1) {
      weights[k] = (weights[k] as number) + coefficient * (place[k] as number);
    }
  }
  return { weights: Float32Array.from(weights), bias };
}

/**
 * One sigmoid for all labels, by what their pictures are told when they are left out, and what all others
 * are told. Where that says nothing, e.g. with one picture a label: even odds midway between what others
 * are told at the most and what the fit, which has seen them, tells the labels' own.
 */
function sigmoidOf(
  { groups, counts, places }: Rows,
  fit: RidgeFit,
  lines: readonly Line[],
): Sigmoid {
  const own: number[] = [];
  const seen: number[] = [];
  const others: number[] = [];
  for (const [target, told] of fit.leftOut.entries()) {
    const { weights, bias } = lines[target] as Line;
    const line = Float64Array.from(weights);
    for (const [row, score] of told.entries()) {
      if (groups[row] !== target) others.push(score);
      else {
        if ((counts[target] as number) > 1) own.push(score);
        seen.push(bias + innerProduct(line, places[row] as Float64Array));
      }
    }
  }
  const fitted = fitSigmoid(Float64Array.from(own), Float64Array.from(others));
  if (fitted !== null) return fitted;
  const low = others.reduce((most, score) => Math.max(most, score), -1);
  const mean = seen.reduce((sum, score) => sum + score, 0) / seen.length;
  const half = Math.max((mean - low) / 2, LEAST_HALF);
  const slope = -Math.log(ASSUMED / (1 - ASSUMED)) / half;
  return { slope, offset: -slope * (low + half) };
}

/** Probability that a picture which was fitted has, where nothing else is known. */
const ASSUMED = 0.9;
const LEAST_HALF = 0.05;

/** The next larger number of single precision: who has the limit itself does not reach it. */
function thresholdOf(sigmoid: Sigmoid, limit: number): number {
  if (!Number.isFinite(limit)) return 0;
  return Math.min(1, Math.fround(Math.fround(probabilityOf(sigmoid, limit)) * (1 + 2 ** -22)));
}
