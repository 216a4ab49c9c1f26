import type { SsdHead } from '#mobilenetd/models/variant.js';
import { decodePicture } from '#mobilenetd/vision/decode.js';
import { resizeBilinear } from '#mobilenetd/vision/resize.js';
import { createSamplingPlan } from '#mobilenetd/vision/sampling.js';
import { createAnchors, decodeDetections } from '#mobilenetd/vision/ssd.js';
import type { OnnxModel } from '../convert/session.js';

/** An encoded picture as the daemon makes it a network's input. */
export async function picturePixels(file: Uint8Array, size: number): Promise<Uint8Array> {
  const { width, height, bytes } = await decodePicture(file, { subject: 'picture' });
  const layout = { width, height, format: 'rgb24', range: 'full' } as const;
  const result = new Uint8Array(size * size * 3);
  resizeBilinear(bytes, createSamplingPlan(layout, [0, 0, width, height], size, size), result);
  return result;
}

/** What a converted detector finds, best first. */
export async function detect(
  session: OnnxModel,
  head: SsdHead,
  picture: Uint8Array,
  { size, threshold }: { readonly size: number; readonly threshold: number },
) {
  const results = await session.run(picture, size, size);
  const outputs = head.layers.map(({ boxes, scores }) => ({
    boxes: results[boxes.name]?.data ?? new Uint8Array(),
    scores: results[scores.name]?.data ?? new Uint8Array(),
  }));
  return decodeDetections(outputs, head, createAnchors(head, size, size), { threshold });
}
