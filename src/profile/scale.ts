import type { Frame } from '../camera/source.js';
import { type Answers, matchedObjects } from '../inference/agreement.js';
import { isSoftmax } from '../inference/postprocess.js';
import { createFrameRunner } from '../inference/service.js';
import { createSessionPool } from '../inference/sessions.js';
import { temperedScore, temperedShare } from '../inference/temperature.js';
import { type Variant, withoutBackground } from '../models/variant.js';

/** How a variant's scores are brought onto the scale of another one's. */
export interface ScoreScale {
  /** What its logits are divided by; 1: they are as they should be. */
  readonly temperature: number;
  /** The variant that it was held against, and the SHA-256 of its file. */
  readonly reference: string;
  readonly file: string;
  /** Answers that were compared, and how far their scores are apart, 0 to 1, without and with it. */
  readonly pairs: number;
  readonly apart: number;
  readonly apartWith: number;
}

/** An answer as two variants score it: the one that is expected, and what the other's would be. */
export interface ScorePair {
  readonly expected: number;
  readonly at: (temperature: number) => number;
}

/** Objects that are this faint say nothing. */
const FAINTEST = 0.1;
const MOST_TEMPERATURE = 4;
/** Temperatures that are tried on each side of 1: steps of 4 %. */
const STEPS = 32;
/** A smaller gain than this is chance. */
const LEAST_GAIN = 0.99;
/** What one pair cannot outweigh: without enough of them the temperature stays near 1. */
const CAUTION = 1;

/**
 * Measures the temperature of a variant: the one at which it says of pictures what the reference says.
 * Meant for a process of its own, like {@link profileForms}.
 *
 * @throws what loading a model throws
 */
export async function measureScale(
  variant: Variant,
  reference: Variant,
  pictures: readonly Frame[],
): Promise<ScoreScale> {
  const against = { reference: reference.name, file: reference.sha256 };
  if (variant.name === reference.name) {
    return { temperature: 1, ...against, pairs: 0, apart: 0, apartWith: 0 };
  }
  const expected = await answersOf(reference, pictures);
  const found = await answersOf(variant, pictures);
  const pairsOf = isSoftmax(variant.head) ? labelPairs : objectPairs;
  const pairs = expected.map((answers, picture) => pairsOf(answers, found[picture] ?? []));
  const temperature = fitTemperature(pairs);
  const all = pairs.flat();
  const [apart, apartWith] = [distanceOf(all, 1), distanceOf(all, temperature)];
  return { temperature, ...against, pairs: all.length, apart, apartWith };
}

/** Everything a variant says of each picture, with its own scores. */
export async function answersOf(variant: Variant, pictures: readonly Frame[]): Promise<Answers[]> {
  const { temperature: _, ...own } = variant;
  const background = variant.labels.length - withoutBackground(variant.labels).length;
  const pool = createSessionPool(1);
  try {
    await pool.load(own);
    const look = createFrameRunner(pool);
    const found: Answers[] = [];
    for (const picture of pictures) {
      const options = { topK: variant.head.classes, threshold: FAINTEST };
      const { labels } = await look(variant.name, picture, options);
      // The other one of two networks may count the background, or this one.
      found.push(labels.map((answer) => ({ ...answer, index: answer.index - background })));
    }
    return found;
  } finally {
    await pool.close();
  }
}

/** Of a softmax: the label that is the first for one of the two, or the labels that are. */
export function labelPairs(expected: Answers, found: Answers): ScorePair[] {
  const scores = found.map(({ score }) => score);
  const [first, own] = [expected[0], found[0]];
  if (first === undefined || own === undefined) return [];
  return [...new Set([first.index, own.index])].map((index) => {
    const at = found.findIndex((other) => other.index === index);
    return {
      expected: expected.find((other) => other.index === index)?.score ?? 0,
      at: (temperature) => temperedShare(scores, at, temperature),
    };
  });
}

/** Of scores that stand for themselves: all that one of the two has; what the other lacks is faint. */
export function objectPairs(expected: Answers, found: Answers): ScorePair[] {
  const matches = matchedObjects(expected, found);
  const [known, matched] = [new Set(matches.map(([a]) => a)), new Set(matches.map(([, b]) => b))];
  const pair = (score: number, other: number): ScorePair => ({
    expected: score,
    at: (temperature) => temperedScore(other, temperature),
  });
  return [
    ...matches.map(([one, other]) => pair(one.score, other.score)),
    ...expected.filter((one) => !known.has(one)).map(({ score }) => pair(score, FAINTEST / 2)),
    ...found.filter((other) => !matched.has(other)).map(({ score }) => pair(FAINTEST / 2, score)),
  ];
}

/**
 * The temperature, from ¼ to 4, with the least cross-entropy against the scores expected. 1 unless what
 * one half of the pictures says brings the scores of the other half nearer, both ways.
 *
 * @param pictures the pairs of each
 */
export function fitTemperature(pictures: readonly (readonly ScorePair[])[]): number {
  const half = (rest: number) => pictures.filter((_, at) => at % 2 === rest).flat();
  const [even, odd] = [half(0), half(1)];
  const helps = (pairs: readonly ScorePair[], temperature: number) =>
    distanceOf(pairs, temperature) < LEAST_GAIN * distanceOf(pairs, 1);
  const isWorth = helps(odd, bestOf(even)) && helps(even, bestOf(odd));
  return isWorth ? Math.round(bestOf(pictures.flat()) * 1000) / 1000 : 1;
}

function bestOf(pairs: readonly ScorePair[]): number {
  let best = 1;
  let least = lossOf(pairs, 1);
  for (let step = -STEPS; step <= STEPS; step += 1) {
    const temperature = MOST_TEMPERATURE ** (step / STEPS);
    const loss = lossOf(pairs, temperature);
    if (loss < least) [best, least] = [temperature, loss];
  }
  return best;
}

function lossOf(pairs: readonly ScorePair[], temperature: number): number {
  let loss = CAUTION * Math.log(temperature) ** 2;
  for (const { expected, at } of pairs) {
    const score = Math.min(1 - 1e-6, Math.max(1e-6, at(temperature)));
    loss -= expected * Math.log(score) + (1 - expected) * Math.log(1 - score);
  }
  return loss;
}

/** The scores' distance, the root of the mean of its squares, 0 to 1; 0 without pairs. */
export function distanceOf(pairs: readonly ScorePair[], temperature: number): number {
  if (pairs.length === 0) return 0;
  const sum = pairs.reduce((all, { expected, at }) => all + (at(temperature) - expected) ** 2, 0);
  return Math.sqrt(sum / pairs.length);
}
