import type { ScoreKind } from '../models/variant.js';

/** A class and its probability. */
export interface ScoredClass {
  readonly index: number;
  /** 0 to 1. */
  readonly score: number;
}

/**
 * The most probable classes of a classifier's outputs.
 *
 * @param values as stored; real = scale · (stored − zeroPoint)
 * @param output scale above 0 and zero point of the stored values; 1 and 0 for float32
 * @param k how many classes, at least 1; fewer are returned when there are fewer
 * @param scores what makes scores of the real values
 * @returns best first; among equals the lower index first
 */
export function topClasses(
  values: Uint8Array | Float32Array,
  { scale, zeroPoint }: { readonly scale: number; readonly zeroPoint: number },
  k: number,
  scores: ScoreKind = 'softmax',
): ScoredClass[] {
  if (scores === 'softmax') return topOfSoftmax(values, scale, k);
  return highestIndices(values, k).map((index) => {
    const real = scale * ((values[index] ?? 0) - zeroPoint);
    const score = scores === 'sigmoid' ? 1 / (1 + Math.exp(-real)) : real;
    // What is a probability already may be off by its own rounding.
    return { index, score: Number.isNaN(score) ? score : Math.min(1, Math.max(0, score)) };
  });
}

/** Softmax does not see an offset, so the zero point is not needed. */
function topOfSoftmax(logits: Uint8Array | Float32Array, scale: number, k: number): ScoredClass[] {
  const best = highestIndices(logits, k);
  const highest = logits[best[0] ?? 0] ?? 0;
  if (logits instanceof Uint8Array) {
    const powers = powersOf(scale);
    let sum = 0;
    for (let at = 0; at < logits.length; at += 1) sum += powers[highest - (logits[at] ?? 0)] ?? 0;
    return best.map((index) => ({
      index,
      score: (powers[highest - (logits[index] ?? 0)] ?? 0) / sum,
    }));
  }
  let sum = 0;
  for (const logit of logits) sum += Math.exp(scale * (logit - highest));
  return best.map((index) => ({
    index,
    score: Math.exp(scale * ((logits[index] ?? 0) - highest)) / sum,
  }));
}

/** e^(−scale · steps) for the last scale asked for: a thousand exponentials a frame take long. */
let lastPowers = { scale: Number.NaN, values: new Float64Array() };

function powersOf(scale: number): Float64Array {
  if (lastPowers.scale !== scale) {
    const values = Float64Array.from({ length: 256 }, (_, steps) => Math.exp(scale * -steps));
    lastPowers = { scale, values };
  }
  return lastPowers.values;
}

/** Indices of the k highest values, by insertion into a short sorted list. */
function highestIndices(values: Uint8Array | Float32Array, k: number): number[] {
  const best: number[] = [];
  let least = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number;
    if (best.length === k && !(value > least)) continue;
    let place = best.length === k ? k - 1 : best.length;
    while (place > 0 && value > (values[best[place - 1] as number] as number)) {
      best[place] = best[place - 1] as number;
      place -= 1;
    }
    best[place] = index;
    least = values[best[best.length - 1] as number] as number;
  }
  return best;
}
