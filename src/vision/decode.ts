import sharp from 'sharp';
import { codedError, messageOf } from '../errors.js';

/** A decoded picture: `rgb24`, width·height·3 bytes. */
export interface DecodedPicture {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

export interface DecodeOptions {
  /** Named in errors: the file or the camera. */
  readonly subject: string;
  /** Greatest width · height that is decoded. */
  readonly maxPixels?: number;
}

/** A 64-megapixel picture takes 192 MB as RGB: the most a board with 1 GB can bear. */
export const MAX_PIXELS = 64_000_000;

// Every picture is decoded once; a cache would only hold memory.
sharp.cache(false);

/**
 * Decodes JPEG, PNG, WebP, TIFF, GIF (its first picture) or SVG to 8-bit sRGB: turned upright by
 * its EXIF orientation, transparency over white, grey and CMYK converted.
 *
 * @param encoded the whole file
 * @throws MND_IMAGE_INVALID when it is empty, truncated, of no known kind or too large
 */
export async function decodePicture(
  encoded: Uint8Array,
  options: DecodeOptions,
): Promise<DecodedPicture> {
  const maxPixels = options.maxPixels ?? MAX_PIXELS;
  if (encoded.length === 0) {
    throw codedError('MND_IMAGE_INVALID', { subject: options.subject, found: 'an empty file' });
  }
  try {
    const { data, info } = await sharp(encoded, {
      failOn: 'truncated',
      limitInputPixels: maxPixels,
    })
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, bytes: data };
  } catch (error) {
    throw codedError('MND_IMAGE_INVALID', {
      subject: options.subject,
      expected: `a whole JPEG, PNG, WebP, TIFF, GIF or SVG picture of at most ${maxPixels} pixels`,
      // libvips stacks one line a warning; the first says what broke.
      found: messageOf(error).split('\n', 1)[0] ?? '',
      cause: error,
    });
  }
}
