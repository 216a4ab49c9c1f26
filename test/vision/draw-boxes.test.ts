import sharp from 'sharp';
import t from 'tap';
import { drawBoxes } from '#mobilenetd/vision/draw-boxes.js';

const SIZE = { width: 400, height: 300 };

/** Where the names stand: left, top, width, height. */
function namesOf(svg: string): number[][] {
  const found = svg.matchAll(/<rect x="([^"]+)" y="([^"]+)" width="([^"]+)" height="([^"]+)" rx/g);
  return [...found].map(([, ...numbers]) => numbers.map(Number));
}

t.test('names do not cover each other, and stay in the picture', async (t) => {
  const box = [395, 2, 4, 10] as const;
  const things = Array.from({ length: 6 }, (_, i) => ({ label: `thing ${i}`, score: 0.5, box }));
  const names = namesOf(drawBoxes(things, SIZE).toString());
  t.equal(names.length, 6);
  const tops = names.map(([, y = 0]) => y);
  t.strictSame(
    tops,
    [...tops].sort((a, b) => a - b),
  );
  for (const [i, [x = 0, y = 0, width = 0, height = 0]] of names.entries()) {
    t.ok(x >= 0 && x + width <= SIZE.width + 0.01 && y >= 0 && y + height <= SIZE.height);
    const next = tops[i + 1];
    if (next !== undefined) t.ok(next >= y + height, 'below the one before');
  }
});

t.test('it can be laid over a picture, whatever the label is', async (t) => {
  const box = [10, 40, 100, 50] as const;
  const things = [
    { label: '<b>&"', score: 1, box },
    { label: 'Größe 猫', score: 0.2, box, isPoint: true },
    { label: 'none', score: 0.3, box: null },
  ];
  const ground = sharp({ create: { ...SIZE, channels: 3, background: 'black' } });
  const input = drawBoxes(things, SIZE);
  const { data, info } = await ground
    .composite([{ input }])
    .raw()
    .toBuffer({ resolveWithObject: true });
  t.match(info, SIZE);
  const at = (x: number, y: number) => data[(y * SIZE.width + x) * info.channels + 2] ?? 0;
  t.ok(at(10, 60) > 100 && at(109, 60) > 100, 'both sides of the box');
  t.equal(at(30, 85), 0, 'nothing inside');
});
