import t from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { NO_PICTURE_OPTIONS, SIGNED_UNIT } from '#mobilenetd/convert/scaling.js';
import { halvesToFloat32 } from '#mobilenetd/convert/tflite/half.js';
import { CODE } from './build-mobilenet.js';
import { createSpec } from './build-small.js';
import { buildTflite, type ModelSpec } from './build-tflite.js';
import { openOracle } from './litert.js';
import { createRandom, randomPicture } from './random.js';
import { openOnnx } from './session.js';

const PICTURE = { ...NO_PICTURE_OPTIONS, scaling: SIGNED_UNIT };

t.test('every kind of half-precision number', (t) => {
  const cases: readonly (readonly [bits: number, value: number])[] = [
    [0x0000, 0],
    [0x8000, -0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7e00, Number.NaN],
  ];
  const stored = Uint16Array.from(cases, ([bits]) => bits);
  t.strictSame(
    [...halvesToFloat32(new Uint8Array(stored.buffer))],
    cases.map(([, value]) => value),
  );
  t.end();
});

const SIZE = 16;
const CHANNELS = 8;

/** Random halves of magnitude 2⁻⁸ to 1. */
function halves(count: number, random: (below: number) => number): Uint8Array {
  const bits = Uint16Array.from({ length: count }, () => {
    return (random(2) << 15) | ((7 + random(8)) << 10) | random(1024);
  });
  return new Uint8Array(bits.buffer);
}

/** A float network whose weights are stored as float16 behind DEQUANTIZE operators. */
function halfModel(
  options: { readonly infinite?: boolean; readonly shared?: number } = {},
): ModelSpec {
  const spec = createSpec(1);
  const random = createRandom(3);
  const half = (shape: readonly number[]) => {
    const count = shape.reduce((product, side) => product * side, 1);
    const data = halves(count, random);
    if (options.infinite) new DataView(data.buffer).setUint16(2, 0x7c00, true);
    const stored = spec.tensor({ name: 'half', type: 'float16', shape, data });
    const real = spec.tensor({ name: 'real', type: 'float32', shape });
    spec.operator({ code: CODE.DEQUANTIZE, inputs: [stored], outputs: [real] });
    for (let copy = 0; copy < (options.shared ?? 0); copy += 1) {
      const other = spec.tensor({ name: 'other', type: 'float32', shape });
      spec.operator({ code: CODE.DEQUANTIZE, inputs: [stored], outputs: [other] });
    }
    return real;
  };
  const picture = spec.activation([1, SIZE, SIZE, 3], 1, 0, 'float32');
  const convolved = spec.activation([1, SIZE / 2, SIZE / 2, CHANNELS], 1, 0, 'float32');
  spec.operator({
    code: CODE.CONV_2D,
    inputs: [picture, half([CHANNELS, 3, 3, 3]), half([CHANNELS])],
    outputs: [convolved],
    options: { union: 1, int8: { 3: 3 }, int32: { 1: 2, 2: 2, 4: 1, 5: 1 } },
  });
  const swish = spec.activation([1, SIZE / 2, SIZE / 2, CHANNELS], 1, 0, 'float32');
  spec.operator({ code: CODE.HARD_SWISH, inputs: [convolved], outputs: [swish] });
  const pooled = spec.activation([1, CHANNELS], 1, 0, 'float32');
  const axes = { name: 'axes', type: 'int32', shape: [2], data: Int32Array.of(1, 2) } as const;
  spec.operator({
    code: CODE.MEAN,
    inputs: [swish, spec.tensor(axes)],
    outputs: [pooled],
    options: { union: 27 },
  });
  const scores = spec.activation([1, 5], 1, 0, 'float32');
  spec.operator({
    code: CODE.FULLY_CONNECTED,
    inputs: [pooled, half([5, CHANNELS]), half([5])],
    outputs: [scores],
    options: { union: 8 },
  });
  return spec.finish([picture], [scores]);
}

t.test('a float network with float16 weights', async (t) => {
  const file = buildTflite(halfModel());
  const oracle = await openOracle(file);
  const { onnx, head, form } = convertTflite(file, { form: 'float32', picture: PICTURE });
  t.match(head, { classes: 5, logits: { type: 'float32' } });
  t.equal(form, 'float32');
  const model = await openOnnx(onnx);
  for (let seed = 0; seed < 5; seed += 1) {
    const picture = randomPicture(SIZE, seed);
    const real = Float32Array.from(picture, (value) => value / 127.5 - 1);
    const expected = await oracle.run(real, [1, SIZE, SIZE, 3]);
    const found = (await model.run(picture, SIZE, SIZE)).logits?.data ?? [];
    for (const [index, value] of expected.entries()) {
      t.ok(Math.abs((found[index] ?? 99) - value) < 1e-4 * Math.max(1, Math.abs(value)));
    }
  }
  oracle.close();
  await model.close();
});

t.test('what a float network cannot be', (t) => {
  for (const form of ['exact', 'symmetric'] as const) {
    t.throws(() => convertTflite(buildTflite(halfModel()), { form, picture: PICTURE }), {
      code: 'MND_MODEL_MISMATCH',
      message: /pictures to calibrate with/,
    });
  }
  t.throws(
    () =>
      convertTflite(buildTflite(halfModel({ infinite: true })), {
        form: 'float32',
        picture: PICTURE,
      }),
    {
      code: 'MND_MODEL_INVALID',
      message: /finite/,
    },
  );
  t.throws(
    () =>
      convertTflite(buildTflite(halfModel({ shared: 40 })), { form: 'float32', picture: PICTURE }),
    {
      code: 'MND_MODEL_INVALID',
      message: /used once/,
    },
  );
  t.end();
});
