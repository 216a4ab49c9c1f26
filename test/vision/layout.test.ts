import t from 'tap';
import { byteLength, checkLayout, type PixelLayout } from '#mobilenetd/vision/layout.js';

const layout = (width: number, height: number, format: PixelLayout['format']): PixelLayout => {
  return { width, height, format, range: 'full' };
};

t.test('bytes of a picture', async (t) => {
  t.equal(byteLength(layout(640, 480, 'rgb24')), 921_600);
  t.equal(byteLength(layout(640, 480, 'yuv420p')), 460_800);
  t.equal(byteLength(layout(5, 3, 'yuv420p')), 15 + 2 * 6);
  t.equal(byteLength(layout(1, 1, 'yuv420p')), 3);
});

t.test('a frame that is not what it says', async (t) => {
  checkLayout(layout(5, 3, 'yuv420p'), new Uint8Array(27), 'front');
  const cases: [PixelLayout, number][] = [
    [layout(5, 3, 'yuv420p'), 26],
    [layout(5, 3, 'yuv420p'), 28],
    [layout(5, 3, 'rgb24'), 0],
    [layout(0, 3, 'rgb24'), 0],
    [layout(-5, 3, 'rgb24'), 45],
    [layout(1.5, 2, 'rgb24'), 9],
    [layout(Number.NaN, 2, 'rgb24'), 9],
    [layout(20_000, 1, 'rgb24'), 60_000],
  ];
  for (const [wrong, bytes] of cases) {
    t.throws(() => checkLayout(wrong, new Uint8Array(bytes), 'front'), {
      code: 'MND_FRAME_INVALID',
      message: /^front: /,
    });
  }
});
