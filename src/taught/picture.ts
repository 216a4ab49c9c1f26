import sharp from 'sharp';
import { encodeJpeg } from '../camera/pixels/jpeg.js';
import { decodePicture } from '../vision/decode.js';

/** A picture as the shelf keeps it. */
export interface CropPicture {
  readonly jpeg: Buffer;
  readonly width: number;
  readonly height: number;
}

/** More than any network of the catalogue looks at: about 550 × 550. */
const MAX_PIXELS = 300_000;
/** Little is lost that an embedding would notice. */
const QUALITY = 92;
/** Crops whose shorter side is smaller say little: it is warned of them, pixels. */
export const SMALL_SIDE = 80;

/**
 * A picture of any readable kind as a crop of the shelf: upright, without metadata, and not larger than
 * networks look at.
 *
 * @param subject names it in errors
 * @throws MND_IMAGE_INVALID
 */
export async function cropPicture(encoded: Uint8Array, subject: string): Promise<CropPicture> {
  const { width, height, bytes } = await decodePicture(encoded, { maxPixels: MAX_PIXELS, subject });
  const picture = sharp(bytes, { raw: { width, height, channels: 3 } });
  return { jpeg: await encodeJpeg(picture, QUALITY), width, height };
}

/** Width and height of a crop of the shelf; null: it is no picture any more. */
export async function cropSize(jpeg: Uint8Array): Promise<readonly [number, number] | null> {
  const found = await sharp(jpeg)
    .metadata()
    .catch(() => null);
  return found === null ? null : [found.width, found.height];
}
