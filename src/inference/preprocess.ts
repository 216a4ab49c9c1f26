import type { Frame } from '../camera/source.js';
import { type ModelInput, sidesOf, type Variant } from '../models/variant.js';
import { type CropRegion, effectiveCrop } from '../vision/crop.js';
import { checkLayout, type PixelLayout } from '../vision/layout.js';
import type { Resize } from '../vision/resize.js';
import { createSamplingPlan, type SamplingPlan } from '../vision/sampling.js';

/** A picture whose pixels can be read: a raw frame, or a decoded one. */
export interface Pixels {
  readonly layout: PixelLayout;
  readonly bytes: Uint8Array;
  /** Pixels of the frame for one of these: more than 1 for a picture that was made smaller. */
  readonly reduction: number;
}

/** Makes frames into network inputs; keeps the tables of the frame layouts it has met. */
export interface Preprocessor {
  /**
   * Decodes an encoded frame; a raw one is only checked.
   *
   * @throws MND_IMAGE_INVALID, MND_FRAME_INVALID
   */
  unpack(frame: Frame): Promise<Pixels>;
  /**
   * Crops, resizes and converts into `out`, [1, height, width, 3]: a square of the variant's size, unless its input says otherwise.
   *
   * @returns the part of the frame that the network sees
   * @throws MND_FRAME_INVALID when the crop lies outside the frame
   */
  fill(
    pixels: Pixels,
    crop: CropRegion | null,
    variant: Pick<Variant, 'size' | 'preprocessing'> & { readonly input?: ModelInput },
    out: Uint8Array,
  ): CropRegion;
}

/** Cameras times variants in use; folders of pictures of many sizes must not grow without end. */
const MAX_PLANS = 16;

/** @param resize the plain one or the SIMD kernel; see resize.ts */
export function createPreprocessor(resize: Resize): Preprocessor {
  const plans: SamplingPlan[] = [];

  function planFor(layout: PixelLayout, crop: CropRegion, sides: Sides): SamplingPlan {
    const found = plans.find((plan) => matches(plan, layout, crop, sides));
    if (found !== undefined) return found;
    if (plans.length === MAX_PLANS) plans.shift();
    const plan = createSamplingPlan(layout, crop, sides[1], sides[0]);
    plans.push(plan);
    return plan;
  }

  return {
    async unpack(frame) {
      if (frame.format !== 'jpeg') {
        const { width, height, format, range } = frame;
        const layout = { width, height, format, range };
        checkLayout(layout, frame.bytes, frame.camera);
        return { layout, bytes: frame.bytes, reduction: 1 };
      }
      // Loaded for the first encoded frame: with a raw camera, libvips' memory is never needed.
      const { decodePicture } = await import('../vision/decode.js');
      const picture = await decodePicture(frame.bytes, { subject: frame.camera });
      const { width, height, bytes, reduction } = picture;
      return { layout: { width, height, format: 'rgb24', range: 'full' }, bytes, reduction };
    },
    fill(pixels, crop, variant, out) {
      const { layout } = pixels;
      const fraction = variant.preprocessing.centralCrop;
      const region = effectiveCrop(layout.width, layout.height, crop, fraction);
      const { input, size } = variant;
      const sides: Sides = input === undefined ? [size, size] : sidesOf(input, size);
      resize(pixels.bytes, planFor(layout, region, sides), out);
      return region;
    },
  };
}

type Sides = readonly [height: number, width: number];

function matches(
  plan: SamplingPlan,
  layout: PixelLayout,
  crop: CropRegion,
  [height, width]: Sides,
): boolean {
  return (
    plan.outWidth === width &&
    plan.outHeight === height &&
    plan.layout.width === layout.width &&
    plan.layout.height === layout.height &&
    plan.layout.format === layout.format &&
    plan.layout.range === layout.range &&
    plan.crop.every((value, index) => value === crop[index])
  );
}
