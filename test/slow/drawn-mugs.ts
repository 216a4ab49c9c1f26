import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { mug } from '#mobilenetd/camera/sources/demo/mugs.js';
import { mulberry32 } from '#mobilenetd/simulator/random.js';

/** A mug, with or without a spoon in it, somewhere, in some light. */
function anyMug(seed: number, hasSpoon: boolean): string {
  const next = mulberry32(seed);
  const x = 60 + 40 * next();
  const y = 110 + 25 * next();
  const scale = 0.9 + 0.35 * next();
  const light = 0.65 + 0.35 * next();
  const lean = -25 + 50 * next();
  return mug({ x, y, scale, light, spoon: hasSpoon ? lean : null });
}

/** Draws pictures into a new folder; the same seeds give the same pictures. */
export async function drawMugs(
  folder: string,
  name: string,
  { from, count, hasSpoon }: { from: number; count: number; hasSpoon: boolean },
): Promise<string> {
  const place = join(folder, name);
  await mkdir(place, { recursive: true });
  for (let n = 0; n < count; n += 1) {
    const picture = sharp(Buffer.from(anyMug(from + n, hasSpoon)));
    await picture.jpeg({ quality: 92 }).toFile(join(place, `${String(n).padStart(3, '0')}.jpg`));
  }
  return place;
}
