import type { CropRegion } from './crop.js';
import type { PixelLayout } from './layout.js';

/** Fraction bits of a weight along x; its two weights add up to 1 << X_BITS and fit 16 bits. */
export const X_BITS = 14;
/** Fraction bits of a weight along y: the Q15 of 16-bit multiply instructions. */
export const Y_BITS = 15;

/** Where each output pixel of one axis takes its two source pixels, and the second one's weight. */
export interface AxisSamples {
  /** Source positions in pixels of the frame (the crop's offset is included). */
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly weight: Int32Array;
}

/** All that a resize can know before it sees a pixel; made once a layout, crop and size. */
export interface SamplingPlan {
  readonly layout: PixelLayout;
  readonly crop: CropRegion;
  readonly outWidth: number;
  readonly outHeight: number;
  readonly x: AxisSamples;
  readonly y: AxisSamples;
}

/**
 * Sampling positions of TensorFlow 1's default bilinear resize (`align_corners` and
 * `half_pixel_centers` false): source = destination · (in / out), no filter when shrinking.
 *
 * @param start first source pixel of the crop
 * @param length pixels of the crop, at least 1
 * @param out pixels wanted, at least 1
 * @param bits fraction bits of the weights
 * @param most greatest weight: a weight that would round up to 1 may not fit its instruction
 */
function sampleAxis(
  start: number,
  length: number,
  out: number,
  bits: number,
  most: number,
): AxisSamples {
  const samples = {
    first: new Int32Array(out),
    second: new Int32Array(out),
    weight: new Int32Array(out),
  };
  for (let i = 0; i < out; i += 1) {
    const position = (i * length) / out;
    const low = Math.min(Math.floor(position), length - 1);
    samples.first[i] = start + low;
    samples.second[i] = start + Math.min(low + 1, length - 1);
    samples.weight[i] = Math.min(Math.round((position - low) * 2 ** bits), most);
  }
  return samples;
}

/** Plans the resize of one part of a frame to `outWidth` × `outHeight` pixels. */
export function createSamplingPlan(
  layout: PixelLayout,
  crop: CropRegion,
  outWidth: number,
  outHeight: number,
): SamplingPlan {
  return {
    layout: {
      width: layout.width,
      height: layout.height,
      format: layout.format,
      range: layout.range,
    },
    crop,
    outWidth,
    outHeight,
    x: sampleAxis(crop[0], crop[2], outWidth, X_BITS, 2 ** X_BITS),
    y: sampleAxis(crop[1], crop[3], outHeight, Y_BITS, 2 ** Y_BITS - 1),
  };
}
