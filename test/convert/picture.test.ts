import t from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import {
  type ChannelScaling,
  NO_PICTURE_OPTIONS,
  nominalScaling,
  SIGNED_UNIT,
  storedTable,
  UNIT,
} from '#mobilenetd/convert/scaling.js';
import { CODE } from './build-mobilenet.js';
import { createSpec } from './build-small.js';
import { buildTflite } from './build-tflite.js';
import { withFloatEnds } from './float-ends.js';
import { openOracle } from './litert.js';
import { randomPicture } from './random.js';
import { openOnnx } from './session.js';

const SIZE = 16;
const IMAGENET: ChannelScaling = {
  mean: [123.675, 116.28, 103.53],
  scale: [0.01712, 0.01751, 0.01743],
};

interface Stored {
  readonly type: 'uint8' | 'int8';
  readonly scale: number;
  readonly zeroPoint: number;
  readonly channels?: 1 | 3;
}

/** A small quantized classifier whose picture is stored in some way. */
function network({ type, scale, zeroPoint, channels = 3 }: Stored): Uint8Array {
  const spec = createSpec(3);
  const picture = spec.activation([1, SIZE, SIZE, channels], scale, zeroPoint, type);
  const half = SIZE / 2;
  const zero = type === 'int8' ? -128 : 0;
  const map = spec.activation([1, half, half, 8], 0.02, zero, type);
  const w1 = spec.weights([8, 3, 3, channels], { type, deviation: 0.3 });
  spec.operator({
    code: CODE.CONV_2D,
    inputs: [picture, w1, spec.bias(scale, w1, 8)],
    outputs: [map],
    options: { union: 1, int8: { 3: 3 }, int32: { 1: 2, 2: 2, 4: 1, 5: 1 } },
  });
  const pooled = spec.activation([1, 8], 0.02, zero, type);
  const axes = { name: 'axes', type: 'int32', shape: [2], data: Int32Array.of(1, 2) } as const;
  spec.operator({
    code: CODE.MEAN,
    inputs: [map, spec.tensor(axes)],
    outputs: [pooled],
    options: { union: 27 },
  });
  const logits = spec.activation([1, 5], 0.05, zero + 128, type);
  const w2 = spec.weights([5, 8], { type, deviation: 0.7 });
  spec.operator({
    code: CODE.FULLY_CONNECTED,
    inputs: [pooled, w2, spec.bias(0.02, w2, 5)],
    outputs: [logits],
    options: { union: 8 },
  });
  return buildTflite(spec.finish([picture], [logits]));
}

const at = (values: readonly number[], channel: number) =>
  values[values.length === 1 ? 0 : channel] ?? 0;

const CASES: readonly (readonly [name: string, stored: Stored, scaling: ChannelScaling])[] = [
  ['uint8, ±5.3 for ImageNet', { type: 'uint8', scale: 0.0413, zeroPoint: 129 }, IMAGENET],
  ['int8, ±2.6 for ImageNet', { type: 'int8', scale: 0.0207, zeroPoint: 1 }, IMAGENET],
  ['int8, ±4 for [−1, 1]', { type: 'int8', scale: 0.0314, zeroPoint: 0 }, SIGNED_UNIT],
  ['uint8, [0, 3] for [0, 1]', { type: 'uint8', scale: 0.0118, zeroPoint: 0 }, UNIT],
  ['grey, ±4 for [−1, 1]', { type: 'int8', scale: 0.0314, zeroPoint: 0, channels: 1 }, SIGNED_UNIT],
];

for (const [name, stored, scaling] of CASES) {
  t.test(`a quantized picture is stored as its file says: ${name}`, async (t) => {
    const file = network(stored);
    t.throws(() => convertTflite(file, { form: 'exact' }), {
      code: 'MND_MODEL_QUESTION',
      message: /a quantized picture.*number = scale × \(pixel − mean\); found stored numbers for /,
    });
    const picture = { ...NO_PICTURE_OPTIONS, scaling };
    const oracle = await openOracle(withFloatEnds(file));
    for (const form of ['exact', 'float32'] as const) {
      const { onnx } = convertTflite(file, { form, picture });
      const model = await openOnnx(onnx);
      for (let seed = 0; seed < 4; seed += 1) {
        const pixels = stored.channels === 1 ? greyPicture(seed) : randomPicture(SIZE, seed);
        const channels = stored.channels ?? 3;
        const real = Float32Array.from({ length: SIZE * SIZE * channels }, (_, index) => {
          const channel = index % channels;
          const pixel = pixels[channels === 1 ? 3 * index : index] ?? 0;
          return at(scaling.scale, channel) * (pixel - at(scaling.mean, channel));
        });
        const expected = await oracle.run(real, [1, SIZE, SIZE, channels]);
        const { data = [] } = (await model.run(pixels, SIZE, SIZE)).logits ?? {};
        for (const [index, value] of expected.entries()) {
          const found = form === 'exact' ? 0.05 * ((data[index] ?? 0) - 128) : (data[index] ?? 0);
          const bound = form === 'exact' ? 0.11 : 0.3;
          t.ok(Math.abs(found - value) < bound, `${form}: ${found} for ${value}`);
        }
      }
      await model.close();
    }
    oracle.close();
  });
}

function greyPicture(seed: number): Uint8Array {
  const picture = randomPicture(SIZE, seed);
  return picture.map((_, index) => picture[index - (index % 3)] ?? 0);
}

t.test('blue first', async (t) => {
  const file = network({ type: 'uint8', scale: 1 / 255, zeroPoint: 0 });
  const rgb = await openOnnx(convertTflite(file, { form: 'exact' }).onnx);
  const picture = { ...NO_PICTURE_OPTIONS, reversed: true };
  const bgr = await openOnnx(convertTflite(file, { form: 'exact', picture }).onnx);
  const pixels = randomPicture(SIZE, 5);
  const turned = pixels.map((_, index) => pixels[index - (index % 3) + 2 - (index % 3)] ?? 0);
  const expected = (await rgb.run(turned, SIZE, SIZE)).logits;
  t.strictSame((await bgr.run(pixels, SIZE, SIZE)).logits, expected);
  t.notSame((await rgb.run(pixels, SIZE, SIZE)).logits, expected);
  await rgb.close();
  await bgr.close();
});

t.test('pixels that are stored as themselves need no table', (t) => {
  t.equal(storedTable(SIGNED_UNIT, { scale: 1 / 128, zeroPoint: 128 }), null);
  t.equal(storedTable(UNIT, { scale: 1 / 255, zeroPoint: 0 }), null);
  t.equal(storedTable(IMAGENET, { scale: 0.0413, zeroPoint: 129 })?.length, 768);
  t.equal(nominalScaling(0, 0.98), UNIT);
  t.equal(nominalScaling(-1, 0.9922), SIGNED_UNIT);
  t.equal(nominalScaling(-2.1, 2.6), null);
  t.equal(nominalScaling(-128, 127), null, 'no range that pixels have');
  t.end();
});

t.test('numbers that make no picture', (t) => {
  const file = network({ type: 'uint8', scale: 0.0413, zeroPoint: 129 });
  const cases: readonly (readonly [ChannelScaling, RegExp])[] = [
    [{ mean: [0], scale: [0] }, /a scale above 0; found 0/],
    [{ mean: [0], scale: [-1] }, /a scale above 0; found -1/],
    [{ mean: [0.485], scale: [0.229] }, /PyTorch/],
    [{ mean: [500], scale: [0.01] }, /a mean in pixels/],
    [{ mean: [1, 2], scale: [1] }, /one for each of R, G and B; found 2 and 1/],
    [{ mean: [0], scale: [1] }, /numbers that the file stores, -5\.33 to 5\.2; found 0 to 255/],
  ];
  for (const [scaling, message] of cases) {
    const picture = { ...NO_PICTURE_OPTIONS, scaling };
    t.throws(() => convertTflite(file, { form: 'exact', picture }), { code: 'MND_USAGE', message });
  }
  t.end();
});
