import sharp from 'sharp';
import { codedError } from '../errors.js';
import { READABLE_FORMATS } from './decode-format.js';
import { DECODE_BUDGET, firstLine, type PlanOptions, planDecoding } from './decode-plan.js';

/** A decoded picture: `rgb24`, width·height·3 bytes. */
export interface DecodedPicture {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
  /** Pixels of the picture itself for one of this: more than 1 when it was made smaller. */
  readonly reduction: number;
}

/** Seconds that decoding one picture may take. */
const DEADLINE_S = 30;

/** Memory for pictures that are being decoded in this thread; who wants more than is left waits. */
let left = DECODE_BUDGET;
const waiting: { readonly cost: number; readonly start: () => void }[] = [];

async function take(cost: number): Promise<void> {
  if (waiting.length === 0 && cost <= left) {
    left -= cost;
    return;
  }
  await new Promise<void>((start) => waiting.push({ cost, start }));
}

function giveBack(cost: number): void {
  left += cost;
  for (let first = waiting[0]; first !== undefined && first.cost <= left; first = waiting[0]) {
    waiting.shift();
    left -= first.cost;
    first.start();
  }
}

/**
 * Decodes a JPEG, PNG, WebP, TIFF, GIF (its first picture) or AVIF to 8-bit sRGB: turned upright by its
 * EXIF orientation, transparency over white, grey and CMYK converted; made smaller when it has more
 * than `maxPixels`. All pictures of a thread share one budget of memory.
 *
 * @param encoded the whole file
 * @throws MND_IMAGE_INVALID when it is empty, truncated, of no known kind, or takes too much memory or time
 */
export async function decodePicture(
  encoded: Uint8Array,
  options: PlanOptions,
): Promise<DecodedPicture> {
  const plan = await planDecoding(encoded, options);
  await take(plan.cost);
  try {
    const isReduced = plan.outWidth < plan.width || plan.outHeight < plan.height;
    const picture = sharp(encoded, { failOn: 'truncated', limitInputPixels: false })
      .timeout({ seconds: DEADLINE_S })
      .autoOrient();
    if (isReduced) picture.resize({ width: plan.outWidth, height: plan.outHeight, fit: 'fill' });
    const { data, info } = await picture
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    return { width, height, bytes: data, reduction: plan.width / width };
  } catch (error) {
    throw codedError('MND_IMAGE_INVALID', {
      subject: options.subject,
      expected: `a whole picture (${READABLE_FORMATS})`,
      found: firstLine(error),
      cause: error,
    });
  } finally {
    giveBack(plan.cost);
  }
}
