import t from 'tap';
import { Scene } from '#mobilenetd/camera/pixels/scene.js';
import type { Frame } from '#mobilenetd/camera/source.js';
import { mulberry32 } from '#mobilenetd/simulator/random.js';

type Paint = (x: number, y: number) => number;

type Size = readonly [width: number, height: number];
type Format = 'rgb24' | 'yuv420p';

/** Bytes of a picture, each pixel of the shade that `paint` gives. */
function paintedAs([width, height]: Size, format: Format, paint: Paint): Uint8Array {
  const pixel = format === 'rgb24' ? 3 : 1;
  const bytes = new Uint8Array(width * height * (format === 'rgb24' ? 3 : 1.5)).fill(128);
  for (let at = 0; at < width * height; at += 1) {
    const shade = paint(at % width, Math.floor(at / width));
    for (let part = 0; part < pixel; part += 1) bytes[at * pixel + part] = shade;
  }
  return bytes;
}

/** The picture with a square that is brighter by 60 levels. */
function withThing(
  picture: Uint8Array,
  [width]: Size,
  format: Format,
  [left, top, side]: readonly [left: number, top: number, side: number],
): Uint8Array {
  const pixel = format === 'rgb24' ? 3 : 1;
  const bytes = picture.slice();
  for (let y = top; y < top + side; y += 1) {
    const start = (y * width + left) * pixel;
    for (let at = start; at < start + side * pixel; at += 1) bytes[at] = (bytes[at] ?? 0) + 60;
  }
  return bytes;
}

function frameOf(at: number, [width, height]: Size, format: Format, bytes: Uint8Array): Frame {
  const moment = { sequence: at + 1, camera: 'front', capturedAt: at, time: at };
  return { ...moment, width, height, format, range: 'full', bytes };
}

/** Whether another network's look is news when the picture has become `now`. */
function isNewsAfter(before: (at: number) => Frame, now: (at: number) => Frame): boolean {
  const scene = new Scene();
  for (let look = 0; look < 8; look += 1) scene.isNews('a', before(look * 500));
  return scene.isNews('b', now(4000));
}

const SIZES = [
  [64, 48],
  [320, 240],
  [640, 480],
  [638, 478],
  [1920, 1080],
] as const;

for (const format of ['rgb24', 'yuv420p'] as const) {
  for (const size of SIZES) {
    t.test(`a still picture is no news, what comes is: ${format} ${size}`, async (t) => {
      const random = mulberry32(5);
      /** Noise of a camera at night: a deviation of 3.5 levels. */
      const noisy = (x: number, y: number) =>
        90 + ((x * 7 + y * 3) % 11) + 12 * (random() - 0.5) + 12 * (random() - 0.5);
      const [width, height] = size;
      const isLarge = width >= 320;
      const paint: Paint = isLarge ? noisy : (x, y) => 90 + ((x + y) % 5);
      const first = paintedAs(size, format, paint);
      const second = paintedAs(size, format, paint);
      const look = (bytes: Uint8Array) => (at: number) => frameOf(at, size, format, bytes);
      t.notOk(isNewsAfter(look(first), look(second)), 'nothing has changed');
      // As large as the smallest thing that a detector of 300 pixels tells: 12 of its pixels.
      const side = Math.ceil(width / 25);
      for (const [left, top] of [
        [0, 0],
        [width - side, height - side],
        [width >> 1, height >> 1],
        [Math.floor(width * 0.37), Math.floor(height * 0.61)],
        [Math.floor(width * 0.81), Math.floor(height * 0.13)],
      ] as const) {
        const come = withThing(second, size, format, [left, top, side]);
        t.ok(isNewsAfter(look(first), look(come)), `a thing of ${side} pixels at ${left}, ${top}`);
        t.ok(isNewsAfter(look(come), look(first)), 'and when it goes');
      }
    });
  }
}

t.test('a picture of another size or form is another scene', async (t) => {
  const grey = (size: Size, format: Format) => (at: number) =>
    frameOf(
      at,
      size,
      format,
      paintedAs(size, format, () => 90),
    );
  t.notOk(isNewsAfter(grey([320, 240], 'rgb24'), grey([320, 240], 'rgb24')));
  const encoded =
    (bytes: number[]) =>
    (at: number): Frame => ({
      ...{ sequence: at + 1, camera: 'front', capturedAt: at, time: at, format: 'jpeg' },
      ...{ width: 2, height: 2, range: 'full', bytes: Uint8Array.from(bytes) },
    });
  t.ok(isNewsAfter(grey([320, 240], 'rgb24'), encoded([1, 2, 3])));
  t.notOk(isNewsAfter(encoded([1, 2, 3]), encoded([1, 2, 3])));
  t.ok(isNewsAfter(encoded([1, 2, 3]), encoded([1, 2, 4])));
});
