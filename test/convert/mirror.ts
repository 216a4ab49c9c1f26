import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { centralCrop } from '#mobilenetd/vision/crop.js';
import { decodePicture } from '#mobilenetd/vision/decode.js';
import { resizeBilinear } from '#mobilenetd/vision/resize.js';
import { createSamplingPlan } from '#mobilenetd/vision/sampling.js';

const MODELS = process.env.MOBILENETD_MODELS_MIRROR ?? '../shared/models';
const PICTURES = process.env.MOBILENETD_TEST_IMAGES ?? '../shared/images';

/** The official models that lie in the mirror, with their α and input size. */
export const OFFICIAL_V1 = [
  { name: 'mobilenet_v1_0.25_128_quant', alpha: 0.25, size: 128 },
  { name: 'mobilenet_v1_0.5_160_quant', alpha: 0.5, size: 160 },
  { name: 'mobilenet_v1_0.75_192_quant', alpha: 0.75, size: 192 },
] as const;

export const OFFICIAL_V2 = { name: 'mobilenet_v2_1.0_224_quant', size: 224 } as const;

/** A model file of the mirror, or null where there is none. */
export function mirrorModel(name: string): Uint8Array | null {
  const file = join(MODELS, `${name}.tflite`);
  return existsSync(file) ? readFileSync(file) : null;
}

/** False where the mirror lacks one of the official models; `skip` for a test's options. */
export function skipWithoutMirror(): false | string {
  const names = [...OFFICIAL_V1.map(({ name }) => name), OFFICIAL_V2.name];
  const missing = names.filter((name) => mirrorModel(name) === null);
  return missing.length === 0 ? false : `no ${missing.join(', ')} in the models mirror`;
}

export interface TestPicture {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

/** Decodes every test picture, in the order of their names; none where the folder is absent. */
export async function testPictures(): Promise<TestPicture[]> {
  if (!existsSync(PICTURES)) return [];
  const files = readdirSync(PICTURES)
    .filter((file) => /\.jpe?g$/i.test(file))
    .sort();
  const pictures: TestPicture[] = [];
  for (const file of files) {
    const picture = await decodePicture(readFileSync(join(PICTURES, file)), { subject: file });
    pictures.push({ file, ...picture });
  }
  return pictures;
}

/** The network's input, cut and resized as the daemon does. */
export function networkInput({ width, height, bytes }: TestPicture, size: number): Uint8Array {
  const layout = { width, height, format: 'rgb24', range: 'full' } as const;
  const input = new Uint8Array(size * size * 3);
  const crop = centralCrop(width, height, 0.875);
  resizeBilinear(bytes, createSamplingPlan(layout, crop, size, size), input);
  return input;
}

/** A real file from elsewhere in the mirror's folder `wild`; `skip` where it is absent. */
export function wildModel(file: string): { readonly path: string; readonly skip: false | string } {
  const path = join(MODELS, 'wild', file);
  return { path, skip: existsSync(path) ? false : `no wild/${file} in the models mirror` };
}
