import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { type CapturedFrame, encodedPicture } from '../camera/source.js';
import { createSceneRenderer } from '../camera/sources/demo/renderer.js';
import { SCENE_HEIGHT, SCENE_WIDTH } from '../camera/sources/demo/scene.js';
import { PACKAGE_ROOT } from '../package-root.js';

/** Seconds into the demo scene: everything it has is in the picture. */
const SCENE_SECONDS = 10;
/** Wall clock that the scene's clock shows: any, but always the same pixels. */
const SCENE_TIME = 0;
/** A common setting of network cameras. */
const JPEG_QUALITY = 85;

/** The demo scene, 640 × 480, as cameras deliver it: yuv420p, rgb24 and JPEG. */
export async function benchFrames(): Promise<CapturedFrame[]> {
  const photo = await readFile(`${PACKAGE_ROOT}assets/demo/coffee.jpg`);
  const rgb = await createSceneRenderer(photo).render(SCENE_SECONDS, SCENE_TIME);
  const [width, height] = [SCENE_WIDTH, SCENE_HEIGHT];
  const jpeg = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer();
  return [
    { width, height, format: 'yuv420p', range: 'full', bytes: toYuv420p(rgb, width, height) },
    { width, height, format: 'rgb24', range: 'full', bytes: rgb },
    encodedPicture(jpeg),
  ];
}

/**
 * Full-range BT.601 with the chroma of each 2×2 block's upper left pixel: enough to measure with.
 *
 * @param rgb width·height·3 bytes; both sides even
 */
export function toYuv420p(rgb: Uint8Array, width: number, height: number): Uint8Array {
  const plane = width * height;
  const yuv = new Uint8ClampedArray((plane * 3) / 2);
  for (let i = 0; i < plane; i += 1) {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(i * 3, i * 3 + 3);
    const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    yuv[i] = luma;
    const x = i % width;
    const y = (i - x) / width;
    if (x % 2 === 1 || y % 2 === 1) continue;
    const chroma = plane + (y / 2) * (width / 2) + x / 2;
    yuv[chroma] = 128 + (blue - luma) / 1.772;
    yuv[chroma + plane / 4] = 128 + (red - luma) / 1.402;
  }
  return new Uint8Array(yuv.buffer);
}
