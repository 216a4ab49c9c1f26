import sharp from 'sharp';
import { codedError, messageOf } from '../errors.js';
import { identifyPicture, READABLE_FORMATS } from './decode-format.js';
import { MAX_SIDE } from './layout.js';

// Every picture is decoded once; a cache, or several threads for one picture, would only hold memory.
sharp.cache(false);
sharp.concurrency(1);

/** How an encoded picture will be decoded, by its header alone. */
export interface DecodePlan {
  /** As people see it: turned upright. */
  readonly width: number;
  readonly height: number;
  /** Size it is decoded to, upright. */
  readonly outWidth: number;
  readonly outHeight: number;
  /** Bytes that decoding takes at most, with the encoded picture and the result. */
  readonly cost: number;
}

export interface PlanOptions {
  /** Named in errors: the file or the camera. */
  readonly subject: string;
  /** Pixels it is decoded to at most: a larger one is made smaller while it is decoded. */
  readonly maxPixels?: number;
}

/** Bytes that decoding one picture may take: with everything around it less than 150 MB. */
export const DECODE_BUDGET = 112 * 1024 * 1024;
/** Pixels a picture is decoded to where nothing else is asked for. */
export const MAX_OUTPUT_PIXELS = 3_000_000;
/** What is tried when a picture would take too much: the smaller, the more it shrinks while it is read. */
const SMALLER = [2_000_000, 1_000_000];

interface Header {
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly isProgressive: boolean;
  readonly subsampling: string;
  readonly channels: number;
  /** Bytes of one channel of a pixel. */
  readonly depth: number;
  /** EXIF orientation turns it by a quarter. */
  readonly isSideways: boolean;
}

/**
 * Looks at a picture's header and decides how it is decoded.
 *
 * @param encoded the whole file
 * @throws MND_IMAGE_INVALID when it is no picture of a known kind, or would take more than the budget
 */
export async function planDecoding(
  encoded: Uint8Array,
  { subject, maxPixels = MAX_OUTPUT_PIXELS }: PlanOptions,
): Promise<DecodePlan> {
  checkFormat(encoded, subject);
  const header = await readHeader(encoded, subject);
  const plans = [maxPixels, ...SMALLER.filter((pixels) => pixels < maxPixels)].map((pixels) =>
    planFor(header, encoded, pixels),
  );
  const plan = plans.find(({ cost }) => cost <= DECODE_BUDGET) ?? plans.at(-1);
  const cost = plan?.cost ?? 0;
  if (plan !== undefined && cost <= DECODE_BUDGET) return plan;
  throw codedError('MND_IMAGE_INVALID', {
    subject,
    expected: `a picture that takes at most ${megabytes(DECODE_BUDGET)} MB to decode`,
    found: `${describe(header)} of ${header.width}×${header.height}, which takes about ${megabytes(cost)} MB`,
    next: 'make it smaller, or save it as a JPEG that is not progressive',
  });
}

function planFor(header: Header, encoded: Uint8Array, maxPixels: number): DecodePlan {
  const { width, height, isSideways } = header;
  const pixels = width * height;
  const scale = Math.min(1, Math.sqrt(maxPixels / pixels), MAX_SIDE / Math.max(width, height));
  const side = (length: number): number => Math.max(1, Math.floor(length * scale));
  const [outWidth, outHeight] = [side(width), side(height)];
  const out = outWidth * outHeight * 3 * (isSideways ? 2 : 1);
  // The encoded picture stands in memory twice: as it was read, and for whoever decodes it.
  const load = pixels * loadBytes(header, encoded, scale);
  const cost = Math.round(2 * encoded.length + load + out);
  return isSideways
    ? { width: height, height: width, outWidth: outHeight, outHeight: outWidth, cost }
    : { width, height, outWidth, outHeight, cost };
}

function checkFormat(encoded: Uint8Array, subject: string): void {
  if (encoded.length === 0)
    throw codedError('MND_IMAGE_INVALID', { subject, found: 'an empty file' });
  const format = identifyPicture(encoded);
  if (format?.readable === true) return;
  throw codedError('MND_IMAGE_INVALID', {
    subject,
    expected: READABLE_FORMATS,
    found: format === null ? 'another kind of file' : `${format.name}, which is not read`,
    ...(format !== null && format.next !== null && { next: format.next }),
  });
}

async function readHeader(encoded: Uint8Array, subject: string): Promise<Header> {
  try {
    const found = await sharp(encoded, { limitInputPixels: false }).metadata();
    const { width, height, orientation = 1 } = found;
    if (!(width > 0 && height > 0)) throw new Error('no size');
    return {
      width,
      height,
      format: found.compression === 'av1' ? 'avif' : found.format,
      isProgressive: found.isProgressive,
      subsampling: found.chromaSubsampling ?? '',
      channels: found.channels,
      depth: found.depth === 'uchar' ? 1 : found.depth === 'ushort' ? 2 : 4,
      isSideways: orientation >= 5,
    };
  } catch (error) {
    throw codedError('MND_IMAGE_INVALID', {
      subject,
      expected: `a whole picture (${READABLE_FORMATS})`,
      found: firstLine(error),
      cause: error,
    });
  }
}

/**
 * Bytes a pixel of the file that decoding holds besides the result, as measured with libvips 8.18 on
 * 12 to 60 megapixels, a little more each. JPEG, WebP and rows of PNG shrink while
 * they are read; a progressive JPEG holds its coefficients, an interlaced PNG the whole picture.
 */
function loadBytes(header: Header, encoded: Uint8Array, scale: number): number {
  const { format, isProgressive, subsampling, channels, depth } = header;
  switch (format) {
    case 'jpeg':
      if (!isProgressive) return 1;
      return subsampling.startsWith('4:2:0') ? 4.2 : 7;
    case 'png':
      return isProgressive ? channels * depth * 1.4 : 1.5 * depth;
    case 'webp':
      // A WebP picture shrinks by whole numbers only.
      if (scale > 0.5) return 8;
      return isLossyWebp(encoded) ? 1.5 : 5;
    case 'gif':
      return 6.5;
    case 'tiff':
      return channels * depth * 1.4;
    default:
      return 20;
  }
}

/** `VP8 `: lossy and without transparency. */
function isLossyWebp(encoded: Uint8Array): boolean {
  return Buffer.from(encoded.subarray(12, 16)).toString('latin1') === 'VP8 ';
}

function describe({ format, isProgressive, channels, depth }: Header): string {
  const kind = format === 'png' ? 'interlaced ' : 'progressive ';
  const deep = depth > 1 ? `${depth * 8}-bit ` : '';
  const clear = channels === 4 ? ' with transparency' : '';
  return `a ${isProgressive ? kind : ''}${deep}${format.toUpperCase()}${clear}`;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / (1024 * 1024));
}

/** libvips stacks one line a warning; the first says what broke. */
export function firstLine(error: unknown): string {
  return messageOf(error).split('\n', 1)[0] ?? '';
}
