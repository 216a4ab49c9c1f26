import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { mulberry32 } from '#mobilenetd/simulator/random.js';

/** A mug on a table, with or without a large wooden spoon in it, somewhere, in some light. */
function mug(seed: number, hasSpoon: boolean): string {
  const next = mulberry32(seed);
  const x = 60 + 40 * next();
  const y = 110 + 25 * next();
  const scale = 0.9 + 0.35 * next();
  const light = 0.65 + 0.35 * next();
  const shade = (r: number, g: number, b: number) =>
    `rgb(${[r, g, b].map((value) => Math.round(value * light)).join()})`;
  const lean = -25 + 50 * next();
  const spoon = `<g transform="rotate(${lean} 50 40)"><rect x="44" y="-70" width="12" height="110" fill="${shade(214, 160, 90)}"/><ellipse cx="50" cy="-78" rx="22" ry="28" fill="${shade(214, 160, 90)}"/></g>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240">
<rect width="320" height="240" fill="${shade(190, 205, 215)}"/>
<rect y="170" width="320" height="70" fill="${shade(120, 85, 60)}"/>
<g transform="translate(${x} ${y}) scale(${scale})">
${hasSpoon ? spoon : ''}
<rect width="100" height="80" rx="8" fill="${shade(200, 60, 50)}"/>
<path d="M100 15 q40 5 36 30 q-4 25 -36 22" fill="none" stroke="${shade(200, 60, 50)}" stroke-width="12"/>
</g></svg>`;
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
    const picture = sharp(Buffer.from(mug(from + n, hasSpoon)));
    await picture.jpeg({ quality: 92 }).toFile(join(place, `${String(n).padStart(3, '0')}.jpg`));
  }
  return place;
}
