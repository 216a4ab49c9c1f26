import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Frame } from '../camera/source.js';
import { createSceneRenderer } from '../camera/sources/demo/renderer.js';
import { SCENE_HEIGHT, SCENE_WIDTH } from '../camera/sources/demo/scene.js';
import { codedError, messageOf } from '../errors.js';
import { PACKAGE_ROOT } from '../package-root.js';

/** Seconds into the demo's scene at which it shows something else. */
const MOMENTS = [2, 6, 10, 14, 18, 22, 26, 30];
const MOST_PICTURES = 200;

const COMMON = { camera: 'probe', capturedAt: 0, time: 0, range: 'full' } as const;

/** Parts of the shipped photo, of its sides: left, top, size. A classifier is surer of a part. */
const PARTS = [
  [0, 0, 1],
  [0.1, 0.1, 0.7],
  [0.25, 0.2, 0.6],
  [0.2, 0.35, 0.5],
  [0.3, 0.3, 0.4],
] as const;

/** Pictures that every board has: the shipped photo and moments of the drawn scene. */
export async function shippedPictures(): Promise<Frame[]> {
  const photo = await readFile(join(PACKAGE_ROOT, 'assets', 'demo', 'coffee.jpg'));
  const renderer = createSceneRenderer(photo);
  const frames = await Promise.all(PARTS.map(async (part) => encoded(await cut(photo, part))));
  for (const seconds of MOMENTS) {
    const bytes = Uint8Array.from(await renderer.render(seconds, 0));
    const [width, height] = [SCENE_WIDTH, SCENE_HEIGHT];
    frames.push({ ...COMMON, sequence: frames.length, width, height, format: 'rgb24', bytes });
  }
  return frames;
}

/**
 * The JPEG and PNG files of a folder, in order of name, at most 200.
 *
 * @throws MND_INPUT_MISSING
 */
export async function picturesOf(folder: string): Promise<Frame[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw codedError('MND_INPUT_MISSING', { subject: folder, found: messageOf(error) });
  });
  const chosen = names.filter((name) => /\.(jpe?g|png)$/i.test(name)).sort();
  if (chosen.length === 0) {
    throw codedError('MND_INPUT_MISSING', { subject: folder, expected: 'JPEG or PNG files' });
  }
  const files = chosen.slice(0, MOST_PICTURES);
  return Promise.all(files.map(async (name) => encoded(await readFile(join(folder, name)))));
}

async function cut(
  photo: Uint8Array,
  [left, top, size]: (typeof PARTS)[number],
): Promise<Uint8Array> {
  const { width = 0, height = 0 } = await sharp(photo).metadata();
  const pixels = (share: number, side: number) => Math.floor(share * side);
  return sharp(photo)
    .extract({
      left: pixels(left, width),
      top: pixels(top, height),
      width: pixels(size, width),
      height: pixels(size, height),
    })
    .png()
    .toBuffer();
}

function encoded(bytes: Uint8Array): Frame {
  return { ...COMMON, sequence: 0, width: 0, height: 0, format: 'jpeg', bytes };
}
