import t from 'tap';
import { boxInFrame, centralCrop, effectiveCrop } from '#mobilenetd/vision/crop.js';

t.test('central crop is that of TensorFlow', async (t) => {
  // (375 − 328.125) / 2 = 23.4 → 23; (500 − 437.5) / 2 = 31.25 → 31.
  t.same(centralCrop(500, 375, 0.875), [31, 23, 438, 329]);
  t.same(centralCrop(640, 480, 0.875), [40, 30, 560, 420]);
  t.same(centralCrop(640, 480, 1), [0, 0, 640, 480]);
  t.same(centralCrop(1, 1, 0.1), [0, 0, 1, 1]);
  t.same(centralCrop(5, 4, 0.5), [1, 1, 3, 2]);
  for (const fraction of [0, -1, 1.1, Number.NaN]) {
    t.throws(() => centralCrop(10, 10, fraction), { code: 'MND_INTERNAL' });
  }
});

t.test("the user's crop comes first, cut to the frame", async (t) => {
  t.same(effectiveCrop(640, 480, null, 0.875), [40, 30, 560, 420]);
  t.same(effectiveCrop(640, 480, [100, 50, 200, 100], 1), [100, 50, 200, 100]);
  t.same(effectiveCrop(640, 480, [100, 50, 200, 100], 0.5), [150, 75, 100, 50]);
  t.same(effectiveCrop(640, 480, [600, 400, 200, 100], 1), [600, 400, 40, 80]);
  t.same(effectiveCrop(640, 480, [-10, -10, 30, 30], 1), [0, 0, 20, 20]);
  t.same(effectiveCrop(640, 480, [0.4, 0.6, 10, 10], 1), [0, 1, 10, 10]);
  for (const crop of [
    [640, 0, 10, 10],
    [0, 0, 0, 10],
    [0, 0, 10, -5],
    [Number.NaN, 0, 10, 10],
    [-50, -50, 40, 40],
  ] as const) {
    t.throws(() => effectiveCrop(640, 480, crop, 1), {
      code: 'MND_FRAME_INVALID',
      message: /640×480/,
    });
  }
});

t.test('boxes go back to the frame', async (t) => {
  t.same(boxInFrame([0.25, 0.5, 0.5, 0.25], [100, 200, 40, 80]), [110, 240, 20, 20]);
  t.same(boxInFrame([-0.5, 0.5, 2, 2], [100, 200, 40, 80]), [100, 240, 40, 40]);
});
