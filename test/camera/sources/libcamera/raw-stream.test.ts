import t from 'tap';
import {
  planeLayout,
  possibleLayouts,
  removePadding,
} from '#mobilenetd/camera/sources/libcamera/layout.js';
import { createRawStreamReader } from '#mobilenetd/camera/sources/libcamera/raw-stream.js';

const WIDTH = 72;
const HEIGHT = 4;

/** A padded frame filled with its number; the padding is 255. */
function frame(number: number, alignment: number, width = WIDTH, height = HEIGHT): Uint8Array {
  const { stride, length } = planeLayout(width, height, alignment);
  const bytes = new Uint8Array(length).fill(255);
  for (let row = 0; row < height; row += 1) bytes.fill(number, row * stride, row * stride + width);
  for (let row = 0; row < height; row += 1) {
    const from = stride * height + (row * stride) / 2;
    bytes.fill(number, from, from + width / 2);
  }
  return bytes;
}

/** Sends bursts as far apart as frames are (50 ms), in chunks that follow each other at once; returns the delivered luma. */
function play(
  bursts: readonly Uint8Array[],
  chunkLength = 100,
  delivered: number[] = [],
  fps = 20,
): number[] {
  const reader = createRawStreamReader([WIDTH, HEIGHT], fps, ({ bytes, width, height }) => {
    const clean = bytes.length === width * height * 1.5 && bytes.every((byte) => byte === bytes[0]);
    delivered.push(clean ? (bytes[0] ?? -1) : -1);
  });
  for (const [index, burst] of bursts.entries()) {
    for (let from = 0; from < burst.length; from += chunkLength) {
      reader.push(burst.subarray(from, from + chunkLength), (index * 1000) / fps);
    }
  }
  return delivered;
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

t.test('the padding of any board is found and removed', (t) => {
  for (const alignment of [1, 32, 64, 128]) {
    const bursts = numbers(1, 8).map((number) => frame(number, alignment));
    t.same(play(bursts), numbers(3, 8), `rows of a multiple of ${alignment}`);
    t.same(play(bursts, 7), numbers(3, 8), 'in small chunks');
  }
  t.end();
});

t.test('fast cameras have shorter pauses', (t) => {
  for (const fps of [0.05, 1, 30, 60, 90, 120]) {
    const bursts = numbers(1, 8).map((number) => frame(number, 64));
    t.same(play(bursts, 100, [], fps), numbers(3, 8), `${fps} frames a second`);
  }
  t.end();
});

t.test('frames that came together prove no layout, and then the last of each is delivered', (t) => {
  const bursts = [[1, 2, 3], [4], [5, 6], [7], [8], [9, 10], [11]].map((burst) =>
    Buffer.concat(burst.map((number) => frame(number, 64))),
  );
  t.same(play(bursts, 1e6), [8, 10, 11]);
  t.end();
});

t.test('so many bytes as several frames have may be frames of another size', (t) => {
  // Three frames of two rows have the bytes of one and a half of four.
  const other = (number: number) => frame(number, 64, WIDTH, HEIGHT / 2);
  const bursts = numbers(1, 12).map((number) =>
    Buffer.concat(Array.from({ length: 4 }, () => other(number))),
  );
  t.same(play(bursts, 1e6), []);
  t.end();
});

t.test('after foreign or lost bytes nothing wrong is delivered', (t) => {
  const good = (from: number, to: number) => numbers(from, to).map((number) => frame(number, 64));
  const foreign = [
    ...good(1, 5),
    Buffer.concat([frame(6, 64), new Uint8Array(37)]),
    ...good(7, 12),
  ];
  t.same(play(foreign), [3, 4, 5], 'too many bytes');
  const lost = [...good(1, 5), frame(6, 64).subarray(10), ...good(7, 12)];
  t.same(play(lost), [3, 4, 5], 'too few bytes');
  t.end();
});

t.test('a stream that stays out of step is given up', (t) => {
  const good = (from: number, to: number) => numbers(from, to).map((number) => frame(number, 64));
  const shifted = [...good(1, 4), new Uint8Array(37), ...good(5, 40)];
  t.throws(() => play(shifted), { code: 'MND_FRAME_INVALID' });
  t.end();
});

t.test('frames of another size are never delivered', (t) => {
  for (const [width, height] of [
    [WIDTH, HEIGHT / 2],
    [WIDTH * 2, HEIGHT],
    [36, 2],
    [100, 30],
  ] as const) {
    const bursts = numbers(1, 60).map((number) => frame(number, 2, width, height));
    const delivered: number[] = [];
    t.throws(() => play(bursts, 100, delivered), { code: 'MND_FRAME_INVALID' });
    t.same(delivered, []);
  }
  t.end();
});

t.test('a trickle is given up', (t) => {
  const drops = Array.from({ length: 40 }, () => new Uint8Array(11));
  t.throws(() => play(drops), { code: 'MND_FRAME_INVALID' });
  t.end();
});

t.test('a size that the camera announces replaces the wanted one', (t) => {
  const sizes: string[] = [];
  const reader = createRawStreamReader([WIDTH, HEIGHT], 20, ({ width, height, bytes }) => {
    sizes.push(`${width}x${height} ${bytes.length}`);
  });
  reader.resize(WIDTH, HEIGHT);
  reader.resize(100, 30);
  for (const number of numbers(1, 5)) reader.push(frame(number, 64, 100, 30), number * 50);
  t.same(sizes, Array(3).fill('100x30 4500'));
  t.end();
});

t.test('layouts of the boards', (t) => {
  t.match(planeLayout(640, 480, 64), { stride: 640, length: 460_800 });
  t.match(planeLayout(800, 600, 128), { stride: 896, length: 806_400 });
  t.equal(possibleLayouts(640, 480).length, 1, 'a width divisible by 128 is never padded');
  t.same(
    possibleLayouts(800, 600).map(({ stride }) => stride),
    [832, 896, 800],
  );
  const layout = planeLayout(6, 4, 8);
  const packed = new Uint8Array(36);
  removePadding(frame(9, 8, 6, 4), layout, packed);
  t.ok(packed.every((byte) => byte === 9));
  t.end();
});
