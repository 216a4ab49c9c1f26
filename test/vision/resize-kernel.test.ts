import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import type { CropRegion } from '#mobilenetd/vision/crop.js';
import { byteLength, type PixelLayout } from '#mobilenetd/vision/layout.js';
import { resizeBilinear } from '#mobilenetd/vision/resize.js';
import { createKernelResize } from '#mobilenetd/vision/resize-kernel.js';
import { createSamplingPlan, type SamplingPlan } from '#mobilenetd/vision/sampling.js';
import { integer, seededRandom } from './random.js';

const binary = readFileSync(new URL(import.meta.resolve('#mobilenetd/vision/resize.wasm')));

interface Case {
  readonly bytes: Uint8Array;
  readonly plan: SamplingPlan;
}

function randomCase(random: () => number, most: number): Case {
  const layout: PixelLayout = {
    width: integer(random, 1, most),
    height: integer(random, 1, most),
    format: random() < 0.5 ? 'rgb24' : 'yuv420p',
    range: random() < 0.5 ? 'full' : 'limited',
  };
  const left = integer(random, 0, layout.width - 1);
  const top = integer(random, 0, layout.height - 1);
  const crop: CropRegion = [
    left,
    top,
    integer(random, 1, layout.width - left),
    integer(random, 1, layout.height - top),
  ];
  const bytes = new Uint8Array(new SharedArrayBuffer(byteLength(layout)));
  // Extremes are where 16 bits overflow.
  const extreme = random() < 0.3;
  for (let i = 0; i < bytes.length; i += 1) {
    bytes[i] = extreme ? (random() < 0.5 ? 0 : 255) : integer(random, 0, 255);
  }
  const outWidth = integer(random, 1, 70);
  return { bytes, plan: createSamplingPlan(layout, crop, outWidth, integer(random, 1, 70)) };
}

function run(resize: typeof resizeBilinear, { bytes, plan }: Case): Buffer {
  const out = new Uint8Array(plan.outWidth * plan.outHeight * 3);
  resize(bytes, plan, out);
  return Buffer.from(out.buffer);
}

t.test('the same pixels as the plain resize, over random sizes and crops', async (t) => {
  const random = seededRandom(3);
  const resize = createKernelResize(binary);
  const cases = Array.from({ length: 400 }, (_, i) => randomCase(random, i < 200 ? 12 : 150));
  for (const one of cases) {
    if (run(resize, one).equals(run(resizeBilinear, one))) continue;
    const { layout, crop, outWidth, outHeight } = one.plan;
    t.fail('another picture', { layout, crop, outWidth, outHeight });
    return;
  }
  // Plans in turn, as two cameras have them; the memory has grown meanwhile.
  for (const one of [...cases.slice(0, 5), ...cases.slice(0, 5)]) {
    t.ok(run(resize, one).equals(run(resizeBilinear, one)));
  }
});

t.test('the sizes that are used', async (t) => {
  const random = seededRandom(4);
  const resize = createKernelResize(binary);
  for (const format of ['rgb24', 'yuv420p'] as const) {
    const layout: PixelLayout = { width: 640, height: 480, format, range: 'full' };
    const bytes = Uint8Array.from({ length: byteLength(layout) }, () => integer(random, 0, 255));
    for (const size of [128, 140, 160, 172, 192, 224, 236, 300]) {
      const plan = createSamplingPlan(layout, [40, 30, 560, 420], size, size);
      t.ok(run(resize, { bytes, plan }).equals(run(resizeBilinear, { bytes, plan })), `${size}`);
    }
  }
});

t.test('a picture too large for the kernel is resized all the same', async (t) => {
  const layout: PixelLayout = { width: 3000, height: 3000, format: 'rgb24', range: 'full' };
  const bytes = new Uint8Array(byteLength(layout)).map((_, i) => (i * 31) & 255);
  const plan = createSamplingPlan(layout, [0, 0, 3000, 3000], 16, 16);
  const one = { bytes, plan };
  t.ok(run(createKernelResize(binary), one).equals(run(resizeBilinear, one)));
});

t.test('the compiled kernel is that of its source', (t) => {
  const record: unknown = JSON.parse(readFileSync('assembly/resize.json', 'utf8'));
  const sumOf = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
  const found = { source: sumOf('assembly/resize.ts'), wasm: sumOf('assembly/resize.wasm') };
  t.match(record, found, 'run `node scripts/build-kernel.mjs --compile`');
  t.end();
});
