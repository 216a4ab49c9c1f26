import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { encodedPicture, type Frame } from '../camera/source.js';
import { createSceneRenderer } from '../camera/sources/demo/renderer.js';
import { SCENE_HEIGHT, SCENE_WIDTH } from '../camera/sources/demo/scene.js';
import { codedError } from '../errors.js';
import { inputFailed } from '../input-file.js';
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

/** Cuts of the shipped photo: how many, and how small at least, in parts of its sides. */
const CUTS = 48;
const LEAST_CUT = 0.25;

/**
 * The shipped photo, cut, mirrored, turned, recoloured and blurred, always in the same ways: networks
 * take the pictures for many things, as they do the world.
 */
export async function variedPictures(): Promise<Frame[]> {
  const photo = await readFile(join(PACKAGE_ROOT, 'assets', 'demo', 'coffee.jpg'));
  const frames: Frame[] = [];
  for (let n = 1; n <= CUTS; n += 1) frames.push(encoded(await varied(photo, n)));
  return frames;
}

async function varied(photo: Uint8Array, n: number): Promise<Uint8Array> {
  const size = LEAST_CUT + (1 - LEAST_CUT) * spread(n, 2);
  const [left, top] = [spread(n, 3) * (1 - size), spread(n, 5) * (1 - size)];
  const picture = sharp(await cut(photo, [left, top, size]));
  if (spread(n, 7) < 0.5) picture.flop();
  if (spread(n, 11) < 0.3) picture.rotate(90 * Math.floor(4 * spread(n, 13)));
  picture.modulate({
    brightness: 0.5 + spread(n, 17),
    saturation: 0.4 + 1.2 * spread(n, 19),
    hue: spread(n, 23) < 0.5 ? Math.floor(360 * spread(n, 29)) : 0,
  });
  if (spread(n, 31) < 0.3) picture.blur(1 + 3 * spread(n, 37));
  return picture.jpeg({ quality: 92 }).toBuffer();
}

/** The n-th of numbers that fill 0 to 1 evenly, another row of them for each prime (Weyl). */
function spread(n: number, prime: number): number {
  return (n * Math.sqrt(prime)) % 1;
}

/**
 * The JPEG and PNG files of a folder, in order of name, at most 200.
 *
 * @throws MND_INPUT_MISSING
 */
export async function picturesOf(folder: string): Promise<Frame[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw inputFailed(folder, 'a folder with JPEG or PNG files', error);
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
  [left, top, size]: readonly [left: number, top: number, size: number],
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
  return { ...COMMON, ...encodedPicture(bytes), sequence: 0 };
}
