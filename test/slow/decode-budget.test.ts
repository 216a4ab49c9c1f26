import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import t from 'tap';

const CHILD = fileURLToPath(new URL('../vision/memory-child.js', import.meta.url));
const skip = existsSync('/proc/self/status') ? false : 'there is no /proc';

const canvas = (width: number, height: number, channels: 3 | 4 = 3) =>
  sharp({
    create: { width, height, channels, background: { r: 90, g: 120, b: 50, alpha: 0.5 } },
    limitInputPixels: false,
  });

/** [file, whether it is decoded]: 24 megapixels as phones and cameras take them, and the worst there are. */
const PICTURES = {
  'plain.jpg': [true, () => canvas(6000, 4000).jpeg()],
  'turned.jpg': [true, () => canvas(6000, 4000).withMetadata({ orientation: 6 }).jpeg()],
  'progressive.jpg': [true, () => canvas(6000, 4000).jpeg({ progressive: true })],
  'plain.png': [true, () => canvas(6000, 4000).png()],
  'lossy.webp': [true, () => canvas(6000, 4000).webp()],
  'strips.tif': [true, () => canvas(4000, 3000).tiff({ compression: 'lzw' })],
  'still.gif': [true, () => canvas(4000, 3000).gif()],
  'interlaced.png': [
    false,
    () => canvas(6000, 4000, 4).toColourspace('rgb16').png({ progressive: true }),
  ],
  'huge.webp': [false, () => canvas(16_383, 16_383).webp({ lossless: true, effort: 0 })],
  'fine.jpg': [
    false,
    () => canvas(6000, 4000).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }),
  ],
  'photo.avif': [false, () => canvas(4000, 3000).avif({ effort: 0 })],
} as const;

t.setTimeout(600_000);

t.test(
  'whatever is accepted takes less than 150 MB, the rest is refused',
  { skip, timeout: 600_000 },
  async (t) => {
    const folder = t.testdir({});
    const files: string[] = [];
    for (const [name, [, make]] of Object.entries(PICTURES)) {
      const file = join(folder, name);
      await make().toFile(file);
      files.push(file);
    }
    for (const maxPixels of [2_000_000, 3_000_000]) {
      const output = execFileSync(process.execPath, [CHILD, String(maxPixels), ...files], {
        encoding: 'utf8',
        // As the service and the container run.
        env: { ...process.env, MALLOC_ARENA_MAX: '2' },
      });
      const lines = output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { file: string; found: string; rise: number });
      for (const [index, [name, [decoded]]] of Object.entries(PICTURES).entries()) {
        const line = lines[index];
        t.equal(line?.found, decoded ? 'decoded' : 'refused', `${name} to ${maxPixels} pixels`);
        t.ok((line?.rise ?? 999) <= 150, `${name}: ${line?.rise} MB above idle`);
      }
    }
  },
);
