import t from 'tap';
import type { CropRegion } from '#mobilenetd/vision/crop.js';
import { byteLength, type PixelLayout } from '#mobilenetd/vision/layout.js';
import { resizeBilinear } from '#mobilenetd/vision/resize.js';
import { createSamplingPlan } from '#mobilenetd/vision/sampling.js';
import { integer, seededRandom } from './random.js';
import { colourOf, resizeFloat, wholeFrame } from './reference.js';

function resize(
  bytes: Uint8Array,
  layout: PixelLayout,
  crop: CropRegion,
  outWidth: number,
  outHeight: number,
): Uint8Array {
  const out = new Uint8Array(outWidth * outHeight * 3);
  resizeBilinear(bytes, createSamplingPlan(layout, crop, outWidth, outHeight), out);
  return out;
}

function grey(...values: number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value, value, value]));
}

const rgb = (width: number, height: number): PixelLayout => {
  return { width, height, format: 'rgb24', range: 'full' };
};

t.test('by hand', async (t) => {
  // Positions 0, 0.5, 1, 1.5 of 0, 100: the last repeats the edge.
  t.same(resize(grey(0, 100), rgb(2, 1), [0, 0, 2, 1], 4, 1), grey(0, 50, 100, 100));
  t.same(resize(grey(0, 100), rgb(1, 2), [0, 0, 1, 2], 1, 4), grey(0, 50, 100, 100));
  // Positions 0 and 1.5 of 0, 10, 21, 30: 15.5 is rounded up.
  t.same(resize(grey(0, 10, 21, 30), rgb(4, 1), [0, 0, 4, 1], 2, 1), grey(0, 21));
  t.same(resize(grey(0, 10, 21, 30), rgb(4, 1), [1, 0, 3, 1], 2, 1), grey(10, 26));
  t.same(resize(grey(7), rgb(1, 1), [0, 0, 1, 1], 2, 3), grey(7, 7, 7, 7, 7, 7));
  const square = grey(0, 80, 160, 240);
  t.same(resize(square, rgb(2, 2), [0, 0, 2, 2], 4, 4).at(5 * 3), 120, 'the middle of four');
  const colours = Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7]);
  t.same(resize(colours, rgb(2, 2), [0, 0, 2, 2], 2, 2), colours, 'the same size changes nothing');
});

t.test('within rounding of the formula, over random sizes and crops', async (t) => {
  const random = seededRandom(1);
  for (let round = 0; round < 120; round += 1) {
    const layout: PixelLayout = {
      width: integer(random, 1, 70),
      height: integer(random, 1, 70),
      format: random() < 0.5 ? 'rgb24' : 'yuv420p',
      range: random() < 0.5 ? 'full' : 'limited',
    };
    const crop = randomCrop(random, layout);
    const [outWidth, outHeight] = [integer(random, 1, 40), integer(random, 1, 40)];
    // Calm colours stay within the RGB cube, where converting after the blend is exact.
    const calm = layout.format === 'yuv420p';
    const bytes = Uint8Array.from({ length: byteLength(layout) }, () =>
      calm ? integer(random, 110, 146) : integer(random, 0, 255),
    );
    const expected = resizeFloat(wholeFrame(bytes, layout), crop, outWidth, outHeight);
    const worst = greatestError(resize(bytes, layout, crop, outWidth, outHeight), expected);
    const limit = calm ? 0.57 : 0.55;
    if (worst > limit) {
      t.fail(`off by ${worst}`, { layout, crop, outWidth, outHeight });
      return;
    }
  }
  t.pass('120 pictures');
});

/** Half a level is rounding itself. */
function greatestError(found: Uint8Array, expected: Float64Array): number {
  return found.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? 0))), 0);
}

function randomCrop(random: () => number, { width, height }: PixelLayout): CropRegion {
  const left = integer(random, 0, width - 1);
  const top = integer(random, 0, height - 1);
  return [left, top, integer(random, 1, width - left), integer(random, 1, height - top)];
}

t.test('every colour of a patch', async (t) => {
  const layouts: PixelLayout[] = [];
  for (const range of ['full', 'limited'] as const) {
    layouts.push({ width: 4, height: 2, format: 'yuv420p', range });
  }
  for (const layout of layouts) {
    let worst = 0;
    for (let y = 0; y < 256; y += 5) {
      for (let u = 0; u < 256; u += 15) {
        for (let v = 0; v < 256; v += 15) {
          const bytes = new Uint8Array(byteLength(layout)).fill(y, 0, 8);
          bytes.fill(u, 8, 10).fill(v, 10, 12);
          const wanted = colourOf(y, u, v, layout.range).map((value) => clamp(value));
          const found = resize(bytes, layout, [0, 0, 4, 2], 1, 1);
          found.forEach((value, i) => {
            worst = Math.max(worst, Math.abs(value - (wanted[i] ?? 0)));
          });
        }
      }
    }
    t.ok(worst < 0.57, `${layout.range}: ${worst}`);
  }
});

function clamp(value: number): number {
  return Math.min(Math.max(value, 0), 255);
}

t.test('known colours', async (t) => {
  const patch = (y: number, u: number, v: number, range: 'full' | 'limited') => {
    const bytes = Uint8Array.from([y, y, y, y, u, v]);
    return [
      ...resize(bytes, { width: 2, height: 2, format: 'yuv420p', range }, [0, 0, 2, 2], 1, 1),
    ];
  };
  t.same(patch(0, 128, 128, 'full'), [0, 0, 0]);
  t.same(patch(255, 128, 128, 'full'), [255, 255, 255]);
  t.same(patch(16, 128, 128, 'limited'), [0, 0, 0]);
  t.same(patch(235, 128, 128, 'limited'), [255, 255, 255]);
  t.same(patch(81, 90, 240, 'limited'), [254, 0, 0], 'red of the colour bars');
  t.same(patch(145, 54, 34, 'limited'), [0, 255, 1], 'green');
  t.same(patch(41, 240, 110, 'limited'), [0, 0, 255], 'blue');
  t.same(patch(76, 85, 255, 'full'), [254, 0, 0], 'red as JPEG stores it');
});
