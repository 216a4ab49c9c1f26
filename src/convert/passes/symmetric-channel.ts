import { fitsSpan, LARGEST_WEIGHT, peakOf, type WeightSpan } from '../round-weights.js';

/** Weights of one output channel, re-quantized without a zero point. */
export interface SymmetricChannel {
  /** New scale as a multiple of the old one. */
  readonly factor: number;
  /** −127 to 127. */
  readonly stored: Int8Array;
}

function clamp(value: number): number {
  return Math.max(-LARGEST_WEIGHT, Math.min(LARGEST_WEIGHT, value));
}

/**
 * Rounds so that the errors of a channel add up to next to nothing: inputs behind ReLU6 are never
 * negative, so an error in the sum of the weights would move the mean of the output. Those weights
 * are rounded the other way that are nearest to the middle.
 */
function roundToSum(weights: Int16Array, factor: number, span: WeightSpan): Int8Array {
  const stored = new Int8Array(weights.length);
  const errors = new Float64Array(weights.length);
  let sum = 0;
  for (let index = 0; index < weights.length; index += 1) {
    const wanted = (weights[index] ?? 0) / factor;
    const value = clamp(Math.round(wanted));
    stored[index] = value;
    errors[index] = wanted - value;
    sum += wanted - value;
  }
  const steps = Math.round(sum);
  if (steps === 0) return stored;
  const direction = Math.sign(steps);
  const order = Array.from(weights.keys())
    .filter((index) => (errors[index] ?? 0) * direction > 0)
    .sort((a, b) => direction * ((errors[b] ?? 0) - (errors[a] ?? 0)));
  let left = Math.abs(steps);
  for (const index of order) {
    if (left === 0) break;
    const next = (stored[index] ?? 0) + direction;
    if (!fitsSpan(stored, index, next, span)) continue;
    stored[index] = next;
    left -= 1;
  }
  return stored;
}

/**
 * Re-quantizes weights, given as whole steps from their zero point (−255 to 255), to int8 without a
 * zero point. Steps that fit the span stay as they are, at the same scale. `leastFactor` is a lower
 * bound on the new scale as a multiple of the old one.
 */
export function symmetricChannel(
  weights: Int16Array,
  leastFactor: number,
  span: WeightSpan = 'full',
): SymmetricChannel {
  const peak = peakOf(weights, span);
  if (peak <= LARGEST_WEIGHT && leastFactor <= 1) {
    return { factor: 1, stored: Int8Array.from(weights) };
  }
  const factor = Math.max(peak / LARGEST_WEIGHT, leastFactor);
  return { factor, stored: roundToSum(weights, factor, span) };
}
