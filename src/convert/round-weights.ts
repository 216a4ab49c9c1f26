import type { ConvOperator, Tensor } from './graph.js';

/** Weights of one output channel as stored: real = scale · stored. */
export interface RoundedWeights {
  readonly scale: number;
  readonly stored: Int8Array;
}

/** The int8 range is used symmetrically, so that the zero point is 0. */
export const LARGEST_WEIGHT = 127;

/**
 * What 127 steps have to span, so that sums stay in 16 bits. x64 kernels without VNNI add two
 * neighbouring products of uint8 and int8 in 16 bits (pmaddubsw): 255 · 128 = 32640 is the most that
 * fits, so two neighbours of one sign may make up 128 together.
 *
 * - `full`: each weight alone; nothing is added in 16 bits, or the runtime is told to avoid it
 * - `pairs`: each two neighbours, the first at an even index
 * - `any`: each two weights, for where the order of the weights in the kernel is not known
 */
export type WeightSpan = 'full' | 'pairs' | 'any';

const LARGEST_PAIR = 128;

/**
 * The span of a convolution's weights in the form `reduced`, by their shape [out, height, width, in]
 * or depthwise [height, width, out].
 */
export function reducedSpan({ depthwise }: ConvOperator, { shape }: Tensor): WeightSpan {
  // Depthwise kernels widen to 16 bits before they multiply.
  if (depthwise) return 'full';
  return shape[1] === 1 && shape[2] === 1 ? 'pairs' : 'any';
}

/** Whether a stored weight may become `next` within its span. */
export function fitsSpan(
  stored: Int8Array,
  index: number,
  next: number,
  span: WeightSpan,
): boolean {
  if (Math.abs(next) > LARGEST_WEIGHT) return false;
  const fitsBeside = (other: number) => next * other <= 0 || Math.abs(next + other) <= LARGEST_PAIR;
  if (span === 'pairs') return fitsBeside(stored[index % 2 === 0 ? index + 1 : index - 1] ?? 0);
  return span === 'full' || stored.every((other, at) => at === index || fitsBeside(other));
}

/** The magnitude that 127 steps must reach; a rounded pair is then 128 at most. */
export function peakOf(weights: ArrayLike<number>, span: WeightSpan): number {
  let peak = 0;
  // The largest weight of each sign so far that may meet the next one.
  let above = 0;
  let below = 0;
  for (let index = 0; index < weights.length; index += 1) {
    const weight = weights[index] ?? 0;
    if (span === 'full' || (span === 'pairs' && index % 2 === 0)) {
      above = 0;
      below = 0;
    }
    peak = Math.max(peak, weight > 0 ? above + weight : below - weight);
    above = Math.max(above, weight);
    below = Math.max(below, -weight);
  }
  return peak;
}

/** Correlation of neighbouring pixels in a feature map, about. */
const CORRELATION = 0.9;

/** Scales that are tried for a depthwise channel, from the finest to an eighth coarser. */
const SCALES = 32;

/** Rounds each weight to the nearest step. */
export function roundToNearest(weights: ArrayLike<number>, scale: number): RoundedWeights {
  const stored = new Int8Array(weights.length);
  return { scale: roundInto(stored, weights, scale), stored };
}

/** The same into `stored`; returns the scale. These loops run a hundred million times for a large network. */
function roundInto(stored: Int8Array, weights: ArrayLike<number>, scale: number): number {
  const float = toFloat32(scale);
  for (let i = 0; i < stored.length; i++) stored[i] = clamp(Math.round((weights[i] ?? 0) / float));
  return float;
}

/**
 * Rounds each weight to the nearest step, and where two that meet in 16 bits come out too large
 * together, both towards 0. Of several scales, from the finest at which each weight fits alone to the
 * one at which all fit together, the one with the least squared error is taken: one large pair need
 * not make every other step coarser.
 *
 * @param least the finest scale that is allowed
 */
export function roundWithinSpan(
  weights: ArrayLike<number>,
  least: number,
  span: WeightSpan,
): RoundedWeights {
  const finest = Math.max(peakOf(weights, 'full') / LARGEST_WEIGHT, least);
  const widest = Math.max(peakOf(weights, span) / LARGEST_WEIGHT, least);
  let best = roundToNearest(weights, widest);
  if (widest === finest) return best;
  let leastError = squaredError(best, weights, Number.POSITIVE_INFINITY);
  let stored: Int8Array = new Int8Array(weights.length);
  for (let candidate = 0; candidate < SCALES; candidate++) {
    const tried = finest * (widest / finest) ** (candidate / SCALES);
    const rounded = { scale: roundInto(stored, weights, tried), stored };
    shrinkToSpan(stored, span);
    const error = squaredError(rounded, weights, leastError);
    if (error < leastError) {
      leastError = error;
      stored = best.stored;
      best = rounded;
    }
  }
  return best;
}

function shrinkToSpan(stored: Int8Array, span: WeightSpan): void {
  if (span === 'any') {
    const most = LARGEST_PAIR / 2;
    for (let index = 0; index < stored.length; index += 1) {
      const value = stored[index] ?? 0;
      if (value > most) stored[index] = most;
      else if (value < -most) stored[index] = -most;
    }
  }
  if (span !== 'pairs') return;
  for (let index = 1; index < stored.length; index += 2) {
    const first = stored[index - 1] ?? 0;
    const second = stored[index] ?? 0;
    const excess = Math.abs(first + second) - LARGEST_PAIR;
    if (first * second <= 0 || excess <= 0) continue;
    // Neither passes 0: the excess is less than each of them, as the other is below 128.
    const half = Math.ceil(excess / 2);
    stored[index] = second - Math.sign(second) * half;
    stored[index - 1] = first - Math.sign(first) * (excess - half);
  }
}

/**
 * Rounds the weights of a depthwise channel so that their sum is kept, not each to the nearest:
 * neighbouring pixels are nearly equal, so what a filter makes of a flat surface depends on the sum
 * alone, and edge filters, whose large weights cancel, suffer most from plain rounding. Of several
 * scales the one with the least expected error is taken: for errors e and inputs of correlation ρ
 * that is (1 − ρ) Σe² + ρ (Σe)².
 *
 * @param scale the finest scale at which all weights fit
 */
export function roundKeepingSum(weights: ArrayLike<number>, scale: number): RoundedWeights {
  let best = roundToNearest(weights, scale);
  if (weights.length < 2) return best;
  let leastError = Number.POSITIVE_INFINITY;
  for (let candidate = 0; candidate < SCALES; candidate++) {
    const rounded = roundToNearest(weights, scale * (1 + candidate / (8 * SCALES)));
    moveSum(rounded.stored, weights, rounded.scale);
    const error = expectedError(rounded, weights);
    if (error < leastError) {
      leastError = error;
      best = rounded;
    }
  }
  return best;
}

/** Moves the weights that are nearest to another step until the sum is right to half a step. */
function moveSum(stored: Int8Array, weights: ArrayLike<number>, scale: number): void {
  const residue = (i: number) => (weights[i] ?? 0) / scale - (stored[i] ?? 0);
  let missing = 0;
  for (let i = 0; i < stored.length; i++) missing += residue(i);
  for (let moves = Math.round(Math.abs(missing)); moves > 0; moves--) {
    const direction = Math.sign(missing);
    let nearest = 0;
    for (let i = 1; i < stored.length; i++) {
      if (residue(i) * direction > residue(nearest) * direction) nearest = i;
    }
    stored[nearest] = clamp((stored[nearest] ?? 0) + direction);
  }
}

function expectedError({ scale, stored }: RoundedWeights, weights: ArrayLike<number>): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < stored.length; i++) {
    const error = (weights[i] ?? 0) - scale * (stored[i] ?? 0);
    sum += error;
    squares += error * error;
  }
  return (1 - CORRELATION) * squares + CORRELATION * sum * sum;
}

/** Whatever is not less than `enough` may come out as less than it is. */
function squaredError(
  { scale, stored }: RoundedWeights,
  weights: ArrayLike<number>,
  enough: number,
): number {
  let squares = 0;
  for (let i = 0; i < stored.length && squares < enough; i++) {
    const error = (weights[i] ?? 0) - scale * (stored[i] ?? 0);
    squares += error * error;
  }
  return squares;
}

function clamp(value: number): number {
  if (value > LARGEST_WEIGHT) return LARGEST_WEIGHT;
  return value < -LARGEST_WEIGHT ? -LARGEST_WEIGHT : value;
}

/** onnxruntime reads float32 scales, so weights must be rounded by the same number; never 0. */
function toFloat32(scale: number): number {
  return Math.fround(scale) || 1;
}
