import { codedError } from '../errors.js';
import type { Box } from '../inference/result.js';

/** Left, top, width and height of the part of a frame that is looked at, in whole frame pixels. */
export type CropRegion = Box;

/**
 * The central part of a picture, by the rule of TensorFlow's `tf.image.central_crop`: the margin on
 * each side is `(side − side·fraction) / 2` rounded down, so the result may be a pixel larger than
 * `side·fraction`.
 *
 * @param width pixels, at least 1
 * @param height pixels, at least 1
 * @param fraction part of each side that is kept, in (0, 1]; 1 keeps everything
 * @throws MND_INTERNAL when the fraction is out of range
 */
export function centralCrop(width: number, height: number, fraction: number): CropRegion {
  if (!(fraction > 0 && fraction <= 1)) {
    throw codedError('MND_INTERNAL', {
      subject: 'central crop',
      expected: 'a fraction over 0 and up to 1',
      found: String(fraction),
    });
  }
  const left = Math.trunc((width - width * fraction) / 2);
  const top = Math.trunc((height - height * fraction) / 2);
  return [left, top, width - 2 * left, height - 2 * top];
}

/**
 * The part of a frame that the network sees: the user's region, cut to the frame and to whole
 * pixels, and the central part of that.
 *
 * @param crop in frame pixels; null stands for the whole frame
 * @throws MND_FRAME_INVALID when nothing of the region lies within the frame
 */
export function effectiveCrop(
  width: number,
  height: number,
  crop: CropRegion | null,
  fraction: number,
): CropRegion {
  if (crop === null) return centralCrop(width, height, fraction);
  const left = clamp(Math.round(crop[0]), 0, width);
  const top = clamp(Math.round(crop[1]), 0, height);
  const right = clamp(Math.round(crop[0] + crop[2]), 0, width);
  const bottom = clamp(Math.round(crop[1] + crop[3]), 0, height);
  // Written so that NaN fails as well.
  if (!(right - left >= 1 && bottom - top >= 1)) {
    throw codedError('MND_FRAME_INVALID', {
      subject: `crop [${crop.join(', ')}]`,
      expected: `a region within the frame of ${width}×${height} pixels`,
      next: "correct the camera's crop or size",
    });
  }
  const [x, y, w, h] = centralCrop(right - left, bottom - top, fraction);
  return [left + x, top + y, w, h];
}

/**
 * A region given for a frame of one size, on a frame of another: it is stretched with the frame, as
 * masks are.
 *
 * @param of width and height of the frame the region was given for, pixels
 */
export function stretchCrop(
  crop: CropRegion,
  of: readonly [width: number, height: number],
  width: number,
  height: number,
): CropRegion {
  const [across, down] = [width / of[0], height / of[1]];
  return [crop[0] * across, crop[1] * down, crop[2] * across, crop[3] * down];
}

/**
 * A box in fractions of the crop, as a detector gives it, in whole pixels of the frame; the part
 * outside the crop is cut off.
 *
 * @param box `[left, top, width, height]`, 1 being the crop's own side
 */
export function boxInFrame(box: Box, crop: CropRegion): Box {
  const left = Math.round(crop[0] + clamp(box[0], 0, 1) * crop[2]);
  const top = Math.round(crop[1] + clamp(box[1], 0, 1) * crop[3]);
  const right = Math.round(crop[0] + clamp(box[0] + box[2], 0, 1) * crop[2]);
  const bottom = Math.round(crop[1] + clamp(box[1] + box[3], 0, 1) * crop[3]);
  return [left, top, right - left, bottom - top];
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
