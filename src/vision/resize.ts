import { COLOUR_MATRICES } from './colour.js';
import { type SamplingPlan, X_BITS } from './sampling.js';

/** Fraction bits after the blend along y; 8-bit values with these fill a signed 16-bit lane. */
const ROW_BITS = 7;
const Y_HALF = 1 << 14;
const X_ONE = 1 << X_BITS;

/**
 * Fills `out`, NHWC `[1, outHeight, outWidth, 3]`, RGB from 0 to 255, from the whole frame `bytes` in
 * the plan's layout.
 */
export type Resize = (bytes: Uint8Array, plan: SamplingPlan, out: Uint8Array) => void;

/**
 * Cuts, resizes (bilinear, no antialiasing, TensorFlow 1's sampling) and converts a picture to the
 * network's input in one pass, without allocating.
 *
 * The arithmetic is integer: a blend along y that keeps 7 fraction bits, a blend along x with
 * 14-bit weights, one rounding at the end; the result is within 0.07 of the exact value before
 * that rounding. A chroma sample of `yuv420p` stands for its 2×2 luma pixels, and colour is
 * converted after the blends, which equals converting the whole frame first as long as its colours
 * are within the RGB cube.
 *
 * This is the reference of resize-kernel.ts, and does its work where that cannot run.
 */
export function resizeBilinear(bytes: Uint8Array, plan: SamplingPlan, out: Uint8Array): void {
  if (plan.layout.format === 'rgb24') resizeRgb(bytes, plan, out);
  else resizeYuv(bytes, plan, out);
}

function resizeRgb(bytes: Uint8Array, plan: SamplingPlan, out: Uint8Array): void {
  const { x, y, outWidth, outHeight } = plan;
  const stride = plan.layout.width * 3;
  let to = 0;
  for (let j = 0; j < outHeight; j += 1) {
    const upper = at(y.first, j) * stride;
    const lower = at(y.second, j) * stride;
    const weightY = at(y.weight, j);
    for (let i = 0; i < outWidth; i += 1) {
      const left = at(x.first, i) * 3;
      const right = at(x.second, i) * 3;
      const weightX = at(x.weight, i);
      for (let channel = 0; channel < 3; channel += 1) {
        const a = blendY(bytes, upper + left + channel, lower + left + channel, weightY);
        const b = blendY(bytes, upper + right + channel, lower + right + channel, weightY);
        out[to + channel] = (blendX(a, b, weightX) + (1 << 20)) >> 21;
      }
      to += 3;
    }
  }
}

function resizeYuv(bytes: Uint8Array, plan: SamplingPlan, out: Uint8Array): void {
  const { x, y, outWidth, outHeight } = plan;
  const { width, height, range } = plan.layout;
  const { black, luma, redV, greenU, greenV, blueU } = COLOUR_MATRICES[range];
  const chromaWidth = (width + 1) >> 1;
  const planeU = width * height;
  const planeV = planeU + chromaWidth * ((height + 1) >> 1);
  let to = 0;
  for (let j = 0; j < outHeight; j += 1) {
    const upper = at(y.first, j) * width;
    const lower = at(y.second, j) * width;
    const upperU = planeU + (at(y.first, j) >> 1) * chromaWidth;
    const lowerU = planeU + (at(y.second, j) >> 1) * chromaWidth;
    const upperV = upperU + planeV - planeU;
    const lowerV = lowerU + planeV - planeU;
    const weightY = at(y.weight, j);
    for (let i = 0; i < outWidth; i += 1) {
      const left = at(x.first, i);
      const right = at(x.second, i);
      const l = left >> 1;
      const r = right >> 1;
      const weightX = at(x.weight, i);

      const lumaLeft = blendY(bytes, upper + left, lower + left, weightY);
      const lumaRight = blendY(bytes, upper + right, lower + right, weightY);
      const sharp = (blendX(lumaLeft, lumaRight, weightX) + (1 << 13)) >> 14;
      const bright = product(sharp - black, luma);

      const uLeft = blendY(bytes, upperU + l, lowerU + l, weightY);
      const uRight = blendY(bytes, upperU + r, lowerU + r, weightY);
      const u = ((blendX(uLeft, uRight, weightX) + (1 << 12)) >> 13) - 32768;

      const vLeft = blendY(bytes, upperV + l, lowerV + l, weightY);
      const vRight = blendY(bytes, upperV + r, lowerV + r, weightY);
      const v = ((blendX(vLeft, vRight, weightX) + (1 << 12)) >> 13) - 32768;

      out[to] = byte(bright + product(v, redV));
      out[to + 1] = byte(bright - product(u, greenU) - product(v, greenV));
      out[to + 2] = byte(bright + product(u, blueU));
      to += 3;
    }
  }
}

/** Two pixels of one column, with {@link ROW_BITS} fraction bits: at most 255 · 128. */
function blendY(bytes: Uint8Array, upper: number, lower: number, weight: number): number {
  const a = at(bytes, upper) << ROW_BITS;
  const b = at(bytes, lower) << ROW_BITS;
  return a + (((b - a) * weight + Y_HALF) >> 15);
}

/** Two neighbours of one row, with 21 fraction bits. */
function blendX(a: number, b: number, weight: number): number {
  return a * (X_ONE - weight) + b * weight;
}

/** The rounding multiply of the colour matrix. */
function product(value: number, factor: number): number {
  return (value * factor + Y_HALF) >> 15;
}

/** From 6 fraction bits to a byte. */
function byte(value: number): number {
  const rounded = (value + 32) >> 6;
  return rounded < 0 ? 0 : rounded > 255 ? 255 : rounded;
}

/** An element that is known to exist; the plan was made for this layout and size. */
function at(values: Uint8Array | Int32Array, index: number): number {
  return values[index] as number;
}
