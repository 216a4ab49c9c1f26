import t from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { NO_PICTURE_OPTIONS } from '#mobilenetd/convert/scaling.js';
import { type KerasOptions, kerasModel } from './build-keras.js';
import { buildTflite } from './build-tflite.js';
import { openOracle } from './litert.js';
import { randomPicture } from './random.js';
import { openOnnx } from './session.js';

const SIZE = 16;
const PICTURES = 40;
const POOLS = ['mean', 'mean-keep', 'average'] as const;

/** Runs pictures through a converted model and the oracle; logits as the converted model stores them. */
async function compare(options: KerasOptions) {
  const { model, network, logits } = kerasModel(options);
  // Bytes as they are: what the picture is to mean is another test's concern.
  const { pictureScale } = options;
  const scaling =
    pictureScale === undefined ? null : { mean: [127], scale: [Math.fround(pictureScale)] };
  const picture = { ...NO_PICTURE_OPTIONS, scaling };
  const converted = convertTflite(buildTflite(model), { form: 'exact', picture });
  const oracle = await openOracle(buildTflite(network));
  const onnx = await openOnnx(converted.onnx);
  const found: number[] = [];
  const expected: number[] = [];
  for (let seed = 0; seed < PICTURES; seed += 1) {
    const picture = randomPicture(SIZE, seed);
    const real = await oracle.run(picture, [1, SIZE, SIZE, 3]);
    for (const value of real) {
      expected.push(Math.round(value / logits.scale + logits.zeroPoint) + 128);
    }
    found.push(...((await onnx.run(picture, SIZE, SIZE)).logits?.data ?? []));
  }
  oracle.close();
  await onnx.close();
  return { converted, logits, found, expected };
}

for (const pool of POOLS) {
  for (const wrapping of ['int8', 'uint8', 'float32'] as const) {
    t.test(`int8 model in ${wrapping}, pool by ${pool}: bit for bit`, async (t) => {
      const { converted, logits, found, expected } = await compare({ wrapping, pool, size: SIZE });
      const { scale, zeroPoint } = logits;
      t.match(converted.input, { name: 'input', sizes: [SIZE] });
      t.match(converted.head, {
        kind: 'classifier',
        classes: 6,
        logits: { type: 'uint8', scale: Math.fround(scale), zeroPoint: zeroPoint + 128 },
      });
      t.ok(new Set(expected).size > 20, 'the logits vary');
      t.strictSame(found, expected);
    });
  }
}

t.test("a head as Teachable Machine's: bit for bit", async (t) => {
  const { found, expected } = await compare({ wrapping: 'uint8', pool: 'mean', hidden: true });
  t.ok(new Set(expected).size > 20, 'the logits vary');
  t.strictSame(found, expected);
});

t.test('a picture of another scale than the network is requantized', async (t) => {
  for (const pictureScale of [1 / 128, 0.0123, 0.005]) {
    const { found, expected } = await compare({ wrapping: 'uint8', pool: 'mean', pictureScale });
    const differences = found.map((value, index) => Math.abs(value - (expected[index] ?? 0)));
    t.equal(found.length, expected.length);
    t.ok(Math.max(...differences) <= 2, `scale ${pictureScale}: ${Math.max(...differences)}`);
    const equal = differences.filter((difference) => difference === 0).length;
    t.ok(equal > 0.9 * found.length, `scale ${pictureScale}: ${equal} of ${found.length} equal`);
  }
});

t.test('what a float32 picture of another range means is asked', async (t) => {
  const { model } = kerasModel({ wrapping: 'float32', pool: 'mean' });
  const narrow = {
    ...model,
    tensors: model.tensors.map((tensor, index) =>
      index === 1 ? { ...tensor, scale: [0.01] } : tensor,
    ),
  };
  t.throws(() => convertTflite(buildTflite(narrow), { form: 'exact' }), {
    code: 'MND_MODEL_QUESTION',
    message: /stored numbers for -1\.27 to 1\.28/,
  });
});

t.test('PAD is taken over by the convolution behind it only', async (t) => {
  const { model } = kerasModel({ wrapping: 'int8', pool: 'mean' });
  const withPadding = (code: number, options: object) => ({
    ...model,
    operators: model.operators.map((operator) =>
      operator.code === code
        ? { ...operator, options: { ...operator.options, ...options } }
        : operator,
    ),
  });
  const same = withPadding(3, { int8: { 0: 0, 3: 3 } });
  // Conv2DOptions leaves the default, SAME, out of the file.
  t.throws(() => convertTflite(buildTflite(same as typeof model), { form: 'exact' }), {
    code: 'MND_MODEL_OPERATOR',
    message: /CONV_2D.*VALID behind PAD/,
  });
});
