import type { Sharp } from 'sharp';

/** Bytes of the largest picture that is published: messages have up to 1 MiB, topic and all. */
export const MAX_JPEG_BYTES = 1_000_000;
/** Below the wanted quality this one is tried before the picture is made smaller. */
const LEAST_QUALITY = 60;
/** What a smaller picture is made still smaller by, as its bytes shrink less than its area. */
const MARGIN = 0.9;
/** Tables made for each picture would save 1 % of its bytes and take more than twice as long. */
const CODING = { optimizeCoding: false };

/**
 * A picture as JPEG, without metadata, of at most `limit` bytes: of less quality, then smaller, if need be.
 *
 * @param picture whose output becomes JPEG
 * @param quality 1 to 100
 */
export async function encodeJpeg(
  picture: Sharp,
  quality: number,
  limit = MAX_JPEG_BYTES,
): Promise<Buffer> {
  // Not a clone: making one takes a third of the time of a small picture.
  const wanted = await picture.jpeg({ quality, ...CODING }).toBuffer({ resolveWithObject: true });
  let jpeg = wanted.data;
  let { width } = wanted.info;
  if (jpeg.length <= limit) return jpeg;
  const lesser = Math.min(quality, LEAST_QUALITY);
  jpeg = await picture
    .clone()
    .jpeg({ quality: lesser, ...CODING })
    .toBuffer();
  while (jpeg.length > limit && width > 16) {
    width = Math.max(16, Math.floor(width * MARGIN * Math.sqrt(limit / jpeg.length)));
    jpeg = await picture
      .clone()
      .resize({ width })
      .jpeg({ quality: lesser, ...CODING })
      .toBuffer();
  }
  return jpeg;
}
