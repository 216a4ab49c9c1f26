import { readFile } from 'node:fs/promises';
import { inputFailed } from '../input-file.js';
import { effectiveCrop } from '../vision/crop.js';
import { decodePicture } from '../vision/decode.js';
import { resizeBilinear } from '../vision/resize.js';
import { createSamplingPlan } from '../vision/sampling.js';

/**
 * A picture file as a network sees it: uint8 RGB [1, size, size, 3], its central part resized.
 *
 * @throws MND_INPUT_MISSING, MND_IMAGE_INVALID
 */
export async function networkInput(
  file: string,
  size: number,
  centralCrop: number,
): Promise<Uint8Array> {
  const encoded = await readFile(file).catch((error: unknown) => {
    throw inputFailed(file, 'a picture', error);
  });
  const { width, height, bytes } = await decodePicture(encoded, { subject: file });
  const layout = { width, height, format: 'rgb24', range: 'full' } as const;
  const crop = effectiveCrop(width, height, null, centralCrop);
  const pixels = new Uint8Array(size * size * 3);
  resizeBilinear(bytes, createSamplingPlan(layout, crop, size, size), pixels);
  return pixels;
}
