/**
 * Ratios of scales with which onnxruntime's element-wise integer operators give one answer everywhere.
 *
 * Its kernels add and multiply uint8 tensors in float32, with or without fused multiply-add, or (adding,
 * on arm64) in 22-bit fixed point. All round the same real number, so they part only where it lies next
 * to a half, at one in 10⁵ of the pairs of stored values. There are only 256 · 256 pairs, so a ratio a
 * few units in the last place away can be chosen for which no pair lies there.
 */

import type { ScalarQuantization } from '../tensors.js';

/**
 * Units in the last place by which a ratio may be moved, and the least such move. The wide ones are for
 * scales that are simple fractions of one another, where thousands of pairs lie on a half exactly.
 */
const MOVES = [
  { reach: 24, step: 1 },
  { reach: 512, step: 32 },
] as const;

/** From here on so many pairs lie near a half that there is no ratio without one. */
const LARGEST_RATIO = 4;

/** Pairs of stored values that a moved ratio can round otherwise, and how each should be rounded. */
interface Critical {
  readonly a: number;
  readonly b: number;
  readonly expected: number;
}

/** A pair on which the kernels part weighs more than all on which they part from TensorFlow Lite. */
const TORN = 256 * 256;

/** How often one pair of values may be judged, which bounds the time. */
const JUDGEMENTS = 300_000;

/**
 * The ratios of both inputs' scales to the output's, for QLinearAdd: as TensorFlow Lite's kernels
 * (XNNPACK's, 21-bit multipliers) have them, moved until all kernels round every pair as it does, or
 * as many as can be had.
 *
 * @returns float32 numbers; the output's scale is then 1
 */
export function additionRatios(
  a: ScalarQuantization,
  b: ScalarQuantization,
  sum: ScalarQuantization,
): readonly [number, number] {
  const exact = [Math.fround(a.scale / sum.scale), Math.fround(b.scale / sum.scale)] as const;
  if (!(Math.max(...exact) < LARGEST_RATIO)) return exact;
  const exponent = exponentOf(Math.max(...exact));
  const quantum = 2 ** (exponent - 20);
  const [first, second] = exact.map((ratio) => roundHalfToEven(ratio / quantum) * quantum);
  const unit = 2 ** (exponent - 23);
  const zeros = [a.zeroPoint, b.zeroPoint, sum.zeroPoint] as const;
  const value = (x: number, y: number) =>
    (x - a.zeroPoint) * (first ?? 0) + (y - b.zeroPoint) * (second ?? 0);
  return leastTorn(({ reach, step }) => {
    const near = 2 * reach * 255 * unit + 2 ** (exponent - 12);
    const critical = criticalPairs(near, sum.zeroPoint, value);
    const moved = ([i, j]: readonly [number, number]) =>
      [Math.fround((first ?? 0) + i * unit), Math.fround((second ?? 0) + j * unit)] as const;
    return best(critical, movesOfTwo(reach, step), moved, (ratios) => judgeSum(ratios, zeros));
  });
}

/**
 * The product of the inputs' scales over the output's, for QLinearMul: moved until kernels with and
 * without fused multiply-add round every pair as TensorFlow Lite does, or as many as can be had.
 *
 * @returns a float32 number; give it as the first input's scale and 1 as the others
 */
export function productRatio(
  a: ScalarQuantization,
  b: ScalarQuantization,
  product: ScalarQuantization,
): number {
  const exact = Math.fround((a.scale * b.scale) / product.scale);
  if (!(exact < LARGEST_RATIO)) return exact;
  const unit = 2 ** (exponentOf(exact) - 23);
  const zero = product.zeroPoint;
  const value = (x: number, y: number) => (x - a.zeroPoint) * (y - b.zeroPoint) * exact;
  return leastTorn(({ reach, step }) => {
    // Beyond 512 steps the result is clamped whatever the rounding.
    const near = 512 * (reach + 2) * 2 ** -23 + 2 ** -14;
    const critical = criticalPairs(near, zero, value);
    const moved = (move: number) => Math.fround(exact + move * unit);
    return best(critical, movesOfOne(reach, step), moved, (ratio) => (pair) => {
      const integer = (pair.a - a.zeroPoint) * (pair.b - b.zeroPoint);
      const fused = toStored(Math.fround(integer * ratio + zero));
      const plain = toStored(Math.fround(Math.fround(integer * ratio) + zero));
      if (fused !== plain) return TORN;
      return plain === pair.expected ? 0 : 1;
    });
  });
}

/** Wider moves only where no narrow one makes the kernels agree. */
function leastTorn<Choice>(
  search: (moves: (typeof MOVES)[number]) => { readonly choice: Choice; readonly faults: number },
): Choice {
  const narrow = search(MOVES[0]);
  if (narrow.faults < TORN) return narrow.choice;
  const wide = search(MOVES[1]);
  return wide.faults < narrow.faults ? wide.choice : narrow.choice;
}

function criticalPairs(
  near: number,
  zero: number,
  value: (a: number, b: number) => number,
): readonly Critical[] {
  const pairs: Critical[] = [];
  for (let a = 0; a < 256; a += 1) {
    for (let b = 0; b < 256; b += 1) {
      const real = value(a, b);
      const fromHalf = Math.abs(real - Math.floor(real) - 0.5);
      if (fromHalf < near) pairs.push({ a, b, expected: clamp(Math.floor(real + 0.5) + zero) });
    }
  }
  return pairs;
}

/** The fault of one pair with these ratios: 0, 1 or {@link TORN}. */
type Judge = (pair: Critical) => number;

function judgeSum(
  [first, second]: readonly [number, number],
  [zeroA, zeroB, zero]: readonly [number, number, number],
): Judge {
  const { fround } = Math;
  // Fixed point: 22 bits for the larger ratio, halves away from zero.
  const unit = 2 ** (exponentOf(Math.max(first, second)) - 21);
  const fixedA = roundHalfToEven(first / unit) * unit;
  const fixedB = roundHalfToEven(second / unit) * unit;
  // Float: the zero points are one number, made in one of three ways.
  const offsets = new Set([
    fround(zero - fround(fround(first * zeroA) + fround(second * zeroB))),
    fround(zero - fround(first * zeroA + fround(second * zeroB))),
    fround(zero - fround(fround(first * zeroA) + second * zeroB)),
  ]);
  return ({ a, b, expected }) => {
    const sum = (a - zeroA) * fixedA + (b - zeroB) * fixedB;
    const stored = clamp(Math.sign(sum) * Math.floor(Math.abs(sum) + 0.5) + zero);
    for (const offset of offsets) {
      // Fused (AVX2), the same with one value for all b, and without fusion (SSE2).
      const fused = fround(a * first + fround(b * second + offset));
      const half = fround(a * first + fround(fround(b * second) + offset));
      const plain = fround(fround(offset + fround(a * first)) + fround(b * second));
      if (toStored(fused) !== stored) return TORN;
      if (toStored(half) !== stored || toStored(plain) !== stored) return TORN;
    }
    return stored === expected ? 0 : 1;
  };
}

/** The first choice without a fault, else the one with the least. */
function best<Move, Choice>(
  critical: readonly Critical[],
  moves: readonly Move[],
  moved: (move: Move) => Choice,
  judgeOf: (choice: Choice) => Judge,
): { readonly choice: Choice; readonly faults: number } {
  let chosen = moved(moves[0] as Move);
  let least = Number.POSITIVE_INFINITY;
  // Of thousands of pairs, a part of the moves must do.
  const stride = Math.max(1, Math.ceil((moves.length * critical.length) / JUDGEMENTS));
  for (let at = 0; at < moves.length && least > 0; at += stride) {
    const choice = moved(moves[at] as Move);
    const judge = judgeOf(choice);
    let faults = 0;
    for (const pair of critical) {
      faults += judge(pair);
      if (faults >= least) break;
    }
    if (faults >= least) continue;
    chosen = choice;
    least = faults;
  }
  return { choice: chosen, faults: least };
}

/** 0, then both ways ever further. */
function movesOfOne(reach: number, step: number): readonly number[] {
  const moves = [0];
  for (let move = step; move <= reach; move += step) moves.push(move, -move);
  return moves;
}

/** Of two ratios, the smallest together first. */
function movesOfTwo(reach: number, step: number): readonly (readonly [number, number])[] {
  const side = movesOfOne(reach, step);
  const size = ([i, j]: readonly [number, number]) => Math.abs(i) + Math.abs(j);
  return side
    .flatMap((i) => side.map((j) => [i, j] as const))
    .sort((one, other) => size(one) - size(other));
}

/** Exponent of the leading bit. */
function exponentOf(value: number): number {
  const exponent = Math.floor(Math.log2(value));
  // The logarithm may be rounded up to the next integer, or down from it.
  if (2 ** exponent > value) return exponent - 1;
  return 2 ** (exponent + 1) <= value ? exponent + 1 : exponent;
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function toStored(value: number): number {
  return clamp(roundHalfToEven(value));
}

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value));
}
