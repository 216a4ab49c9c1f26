import t from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { edgeImpulseModel } from './build-edge-impulse.js';
import { buildTflite } from './build-tflite.js';
import { openOracle } from './litert.js';
import { randomPicture } from './random.js';
import { openOnnx } from './session.js';

const SIZE = 32;
const PICTURES = 30;

/** Grey as the converted network makes it: weights in hundred-and-twenty-eighths, halves to even. */
function toGrey(picture: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: picture.length / 3 }, (_, pixel) => {
    const [red = 0, green = 0, blue = 0] = picture.subarray(3 * pixel, 3 * pixel + 3);
    const exact = (38 * red + 75 * green + 15 * blue) / 128;
    const below = Math.floor(exact);
    if (exact - below === 0.5) return below + (below % 2);
    return Math.round(exact);
  });
}

for (const channels of [1, 3] as const) {
  t.test(`int8 as Edge Impulse exports it, ${channels} channels: bit for bit`, async (t) => {
    const { model, network, logits } = edgeImpulseModel(SIZE, channels);
    const converted = convertTflite(buildTflite(model), { form: 'exact' });
    t.match(converted, { input: { name: 'input', sizes: [SIZE] }, head: { classes: 3 } });
    const oracle = await openOracle(buildTflite(network));
    const onnx = await openOnnx(converted.onnx);
    const expected: number[] = [];
    const found: number[] = [];
    for (let seed = 0; seed < PICTURES; seed += 1) {
      const picture = randomPicture(SIZE, seed);
      const input = channels === 1 ? toGrey(picture) : picture;
      const real = await oracle.run(input, [1, SIZE, SIZE, channels]);
      for (const value of real) {
        expected.push(Math.round(value / logits.scale + logits.zeroPoint) + 128);
      }
      found.push(...((await onnx.run(picture, SIZE, SIZE)).logits?.data ?? []));
    }
    oracle.close();
    await onnx.close();
    t.ok(new Set(expected).size > 20, 'the logits vary');
    t.strictSame(found, expected);
  });
}

t.test('grey is luma: of a real network, too', async (t) => {
  const { model } = edgeImpulseModel(SIZE, 1, 2);
  const exact = convertTflite(buildTflite(model), { form: 'exact' });
  const float = convertTflite(buildTflite(model), { form: 'float32' });
  const [a, b] = [await openOnnx(exact.onnx), await openOnnx(float.onnx)];
  const picture = randomPicture(SIZE, 5);
  if (exact.head.kind !== 'classifier') throw new Error('no classifier');
  const { scale, zeroPoint } = exact.head.logits;
  const stored = (await a.run(picture, SIZE, SIZE)).logits?.data ?? [];
  const real = (await b.run(picture, SIZE, SIZE)).logits?.data ?? [];
  await a.close();
  await b.close();
  for (const [index, value] of real.entries()) {
    const difference = Math.abs(((stored[index] ?? 0) - zeroPoint) * scale - value);
    t.ok(difference < 6 * scale, `${difference / scale} steps`);
  }
});
