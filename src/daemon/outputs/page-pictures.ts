import sharp from 'sharp';
import type { PictureKind } from '../../http/contract.js';
import type { EventPicture } from '../../store/picture-shelf.js';

const THUMB_WIDTH = 248;
const QUALITY = 80;
/** What is shown around the thing itself, as a share of its longer side. */
const AROUND = 0.15;

/** A picture of an event as it is asked for; only the whole one is on the disk. */
export async function shapedPicture(
  { jpeg, note }: EventPicture,
  kind: PictureKind,
): Promise<Uint8Array> {
  if (kind === 'picture') return jpeg;
  if (kind === 'thumb' || note === null || note.box === null) {
    return sharp(jpeg).resize({ width: THUMB_WIDTH }).jpeg({ quality: QUALITY }).toBuffer();
  }
  const { width = 1, height = 1 } = await sharp(jpeg).metadata();
  const scale = width / note.width;
  const [x, y, w, h] = note.box;
  const margin = AROUND * Math.max(w, h);
  const left = clamp(Math.round((x - margin) * scale), 0, width - 1);
  const top = clamp(Math.round((y - margin) * scale), 0, height - 1);
  const right = clamp(Math.round((x + w + margin) * scale), left + 1, width);
  const bottom = clamp(Math.round((y + h + margin) * scale), top + 1, height);
  return sharp(jpeg)
    .extract({ left, top, width: right - left, height: bottom - top })
    .jpeg({ quality: QUALITY })
    .toBuffer();
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
