import sharp from 'sharp';
import t from 'tap';
import { createMask, createMaskStep, type Polygon } from '#mobilenetd/camera/pixels/blackout.js';
import { withPixels } from '#mobilenetd/camera/pixels/pixels.js';
import type { CapturedFrame, Source } from '#mobilenetd/camera/source.js';
import { codedError } from '#mobilenetd/errors.js';

const WIDTH = 16;
const HEIGHT = 12;

function rgb(width = WIDTH, height = HEIGHT): CapturedFrame {
  const bytes = new Uint8Array(width * height * 3).fill(200);
  return { width, height, format: 'rgb24', range: 'full', bytes };
}

/** The masked pixels as text, one line a row. */
function picture({ width, height, format, bytes }: CapturedFrame): string[] {
  const pixel = format === 'rgb24' ? 3 : 1;
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) =>
      bytes.subarray((y * width + x) * pixel, (y * width + x + 1) * pixel).every((v) => v !== 200)
        ? '#'
        : '.',
    ).join(''),
  );
}

const SQUARE: Polygon = [
  [2, 3],
  [6, 3],
  [6, 5],
  [2, 5],
];

t.test('exactly the area is blacked out', (t) => {
  const frame = rgb();
  createMask([SQUARE], [WIDTH, HEIGHT]).apply(frame);
  const row = '................';
  const masked = '..####..........';
  t.same(picture(frame), [row, row, row, masked, masked, ...new Array(7).fill(row)]);
  t.end();
});

t.test('every pixel that an edge crosses is covered, also beyond the frame', (t) => {
  const triangle: Polygon = [
    [-5, 0],
    [8.5, 6],
    [-5, 12],
  ];
  const frame = rgb();
  createMask([triangle], [WIDTH, HEIGHT]).apply(frame);
  const lengths = picture(frame).map((line) => line.replaceAll('.', '').length);
  for (const [y, length] of lengths.entries()) {
    const inner = Math.min(y, HEIGHT - 1 - y) + 0.875;
    t.ok(length >= Math.floor(-5 + (inner / 6) * 13.5), `row ${y}: ${length}`);
    t.ok(length <= 9);
  }
  t.equal(Math.max(...lengths), 9);
  t.end();
});

t.test('planes lose their luma and their chroma', (t) => {
  for (const [range, black] of [
    ['full', 0],
    ['limited', 16],
  ] as const) {
    const bytes = new Uint8Array(WIDTH * HEIGHT * 1.5).fill(200);
    const frame: CapturedFrame = { width: WIDTH, height: HEIGHT, format: 'yuv420p', range, bytes };
    createMask([SQUARE], [WIDTH, HEIGHT]).apply(frame);
    t.equal(bytes[3 * WIDTH + 2], black);
    t.equal(bytes[3 * WIDTH + 6], 200);
    const chroma = Array.from(bytes.subarray(WIDTH * HEIGHT));
    const masked = chroma.flatMap((value, index) => (value === 128 ? [index] : []));
    const plane = [1 * 8 + 1, 1 * 8 + 2, 2 * 8 + 1, 2 * 8 + 2];
    t.same(masked, [...plane, ...plane.map((index) => index + 48)], 'of both rows it touches');
  }
  t.end();
});

t.test('on frames of another size it covers the same part', (t) => {
  const frame = rgb(WIDTH * 2, HEIGHT * 2);
  createMask([SQUARE], [WIDTH, HEIGHT]).apply(frame);
  const lines = picture(frame);
  t.equal(lines.filter((line) => line.includes('#')).length, 4);
  t.equal(lines[6], '....########....................');
  t.end();
});

const OPTIONS = { decode: false, maxPixels: 1e6, onRefused: () => {} };

t.test('nothing unmasked leaves a masked source, not even a decoded picture', async (t) => {
  const encoded = await sharp({
    create: { width: 160, height: 120, channels: 3, background: '#c8c8c8' },
  })
    .jpeg({ quality: 95 })
    .toBuffer();
  const raw = rgb();
  const inner: Source = {
    async run(_signal, onFrame) {
      onFrame(raw);
      onFrame({ width: 0, height: 0, format: 'jpeg', range: 'full', bytes: encoded });
      onFrame({
        width: 0,
        height: 0,
        format: 'jpeg',
        range: 'full',
        bytes: encoded.subarray(0, 50),
      });
      await new Promise((resolve) => setTimeout(resolve, 1));
      onFrame({ width: 0, height: 0, format: 'jpeg', range: 'full', bytes: encoded });
      return codedError('MND_CAMERA_ENDED');
    },
  };
  const frames: CapturedFrame[] = [];
  const steps = [createMaskStep([SQUARE], [WIDTH, HEIGHT])];
  const reason = await withPixels(inner, { ...OPTIONS, steps }).run(
    new AbortController().signal,
    (frame) => {
      frames.push({ ...frame, bytes: frame.bytes.slice() });
    },
  );
  t.match(reason, { code: 'MND_CAMERA_ENDED' });
  t.ok(frames.length >= 2, `${frames.length} frames`);
  for (const { format, width, height, bytes } of frames) {
    t.equal(format, 'rgb24');
    const at = (Math.floor((4 * height) / HEIGHT) * width + Math.floor((4 * width) / WIDTH)) * 3;
    t.same([...bytes.subarray(at, at + 3)], [0, 0, 0]);
  }
  t.match(frames.at(-1), { width: 160, height: 120 });
});
