import t from 'tap';
import { convertOwnOnnx } from '#mobilenetd/convert/own-onnx/convert.js';
import {
  BYTES,
  type ChannelScaling,
  NO_PICTURE_OPTIONS,
  perChannel,
  SIGNED_UNIT,
  UNIT,
} from '#mobilenetd/convert/scaling.js';
import { ort } from '#mobilenetd/inference/runtime.js';
import { createRandom } from '../random.js';
import { openOnnx } from '../session.js';
import { encodeOnnx, FLOAT, floats, UINT8, valueInfo } from './build-onnx.js';

const SIZE = 8;
const INT8 = 3;
const FLOAT16 = 10;
const IMAGENET: ChannelScaling = {
  mean: [123.675, 116.28, 103.53],
  scale: [0.01712, 0.01751, 0.01743],
};

interface Stored {
  readonly type: number;
  readonly scale: readonly number[];
  readonly zeroPoint: number;
  readonly channels?: 1 | 3;
  /** What reads the picture. */
  readonly reader?: 'DequantizeLinear' | 'Transpose' | 'QLinearConv' | 'QuantizeLinear' | 'Cast';
  readonly metadata?: Readonly<Record<string, string>>;
  /** Leaves the zero point out, which is 0 then. */
  readonly withoutZero?: boolean;
}

/** A classifier of four classes whose picture is stored in some way. */
function network(picture: Stored) {
  const { type, scale, zeroPoint, channels = 3, reader, metadata = {}, withoutZero } = picture;
  const kind = reader ?? 'DequantizeLinear';
  const random = createRandom(3);
  const numbers = (count: number) => Array.from({ length: count }, () => random(2000) / 500 - 2);
  const stored = type === INT8 || (kind === 'QuantizeLinear' && zeroPoint < 0) ? INT8 : UINT8;
  const node: object[] = [];
  let value = 'input';
  const add = (opType: string, inputs: string[] = [], attribute: object[] = []) => {
    const output = `v${node.length}`;
    node.push({ opType, input: [value, ...inputs], output: [output], attribute });
    value = output;
  };
  const planes = { name: 'perm', type: 7, ints: [0, 3, 1, 2] };
  const nhwc = kind === 'Transpose';
  if (nhwc) add('Transpose', [], [planes]);
  if (kind === 'QuantizeLinear') add('QuantizeLinear', ['scale', 'zero']);
  if (kind === 'QLinearConv') {
    const inputs = ['scale', 'zero', 'kernel', 'one', 'none', 'step', 'zero'];
    add('QLinearConv', inputs);
    add('DequantizeLinear', ['step', 'zero']);
  } else if (type === FLOAT16 || kind === 'Cast') {
    add('Cast', [], [{ name: 'to', type: 2, i: FLOAT }]);
  } else {
    add('DequantizeLinear', withoutZero ? ['scale'] : ['scale', 'zero']);
  }
  add('GlobalAveragePool');
  add('Flatten');
  add('Gemm', ['weights', 'bias']);
  const sides = nhwc ? [1, SIZE, SIZE, channels] : [1, channels, SIZE, SIZE];
  // Each channel by itself.
  const kernel = Array.from({ length: channels * channels }, (_, at) =>
    at % (channels + 1) === 0 ? 1 : 0,
  );
  const whole = (name: string, values: number[], dims: number[], dataType = stored) => {
    return { name, dims, dataType, int32Data: values };
  };
  return encodeOnnx({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    metadataProps: Object.entries(metadata).map(([key, entry]) => ({ key, value: entry })),
    graph: {
      name: 'g',
      node,
      initializer: [
        floats('scale', scale.length > 1 ? [scale.length] : [], scale),
        whole(
          'zero',
          scale.length > 1 ? scale.map(() => zeroPoint) : [zeroPoint],
          scale.length > 1 ? [scale.length] : [],
        ),
        whole('kernel', kernel, [channels, channels, 1, 1], INT8),
        whole('none', [0], [], INT8),
        floats('one', [], [1]),
        floats('step', [], scale.slice(0, 1)),
        floats('weights', [channels, 4], numbers(4 * channels)),
        floats('bias', [4], numbers(4)),
      ],
      input: [valueInfo('input', type, sides)],
      output: [valueInfo(value, FLOAT, [1, 4])],
    },
  });
}

const WIDE = { type: UINT8, scale: [1 / 64], zeroPoint: 128 };
const CASES: Readonly<Record<string, readonly [Stored, ChannelScaling, given: boolean]>> = {
  'uint8 in steps of 1/64 for [−1, 1]': [WIDE, SIGNED_UNIT, true],
  'int8 with the zero point 3': [
    { type: INT8, scale: [2 / 255], zeroPoint: 3 },
    SIGNED_UNIT,
    false,
  ],
  'int8 for [0, 255]': [{ type: INT8, scale: [1], zeroPoint: -128 }, BYTES, false],
  'int8 for ImageNet, NHWC': [
    { type: INT8, scale: [0.0207], zeroPoint: 1, reader: 'Transpose' },
    IMAGENET,
    true,
  ],
  'uint8 that a convolution reads': [
    { type: UINT8, scale: [0.0413], zeroPoint: 129, reader: 'QLinearConv' },
    IMAGENET,
    true,
  ],
  'uint8 for [0, 1]': [{ type: UINT8, scale: [1 / 255], zeroPoint: 0 }, UNIT, false],
  'grey int8': [{ type: INT8, scale: [1 / 255], zeroPoint: -128, channels: 1 }, UNIT, false],
  'what the metadata says': [
    { ...WIDE, metadata: { mean: '[0.5, 0.5, 0.5]', std: '[0.5, 0.5, 0.5]' } },
    SIGNED_UNIT,
    false,
  ],
};

for (const [name, [stored, scaling, given]] of Object.entries(CASES)) {
  t.test(`a picture is stored as the network reads it: ${name}`, async (t) => {
    const file = network(stored);
    const { type, zeroPoint, channels = 3, reader } = stored;
    const [step = 1] = stored.scale;
    const options = { ...NO_PICTURE_OPTIONS, scaling: given ? scaling : null };
    if (given) {
      t.throws(() => convertOwnOnnx(file, NO_PICTURE_OPTIONS), {
        code: 'MND_MODEL_QUESTION',
        message: /a quantized picture.*found stored numbers for .*--mean/,
      });
    }
    const { onnx, head } = convertOwnOnnx(file, options);
    const original = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
    const model = await openOnnx(onnx);
    const [least, most] = type === INT8 ? [-128, 127] : [0, 255];
    const random = createRandom(5);
    for (let round = 0; round < 3; round += 1) {
      const pixels = Uint8Array.from({ length: 3 * SIZE * SIZE }, (_, at) => {
        return channels === 1 ? 40 + 50 * round : random(100 + 50 * (at % 3));
      });
      const count = channels * SIZE * SIZE;
      const numbers = Array.from({ length: count }, (_, at) => {
        const nhwc = reader === 'Transpose';
        const channel = nhwc ? at % channels : Math.floor(at / (SIZE * SIZE));
        const cell = nhwc ? Math.floor(at / channels) : at % (SIZE * SIZE);
        const pixel = pixels[3 * cell + channel] ?? 0;
        const real =
          perChannel(scaling.scale, channel) * (pixel - perChannel(scaling.mean, channel));
        return Math.min(most, Math.max(least, Math.round(real / step) + zeroPoint));
      });
      const sides = [1, channels, SIZE, SIZE];
      const dims = reader === 'Transpose' ? [1, SIZE, SIZE, channels] : sides;
      const input =
        type === INT8
          ? new ort.Tensor('int8', Int8Array.from(numbers), dims)
          : new ort.Tensor('uint8', Uint8Array.from(numbers), dims);
      const expected = Object.values(await original.run({ input }))[0]?.data;
      if (!(expected instanceof Float32Array)) throw new Error('no scores');
      const { data = [] } = (await model.run(pixels, SIZE, SIZE))[head.logits.name] ?? {};
      t.equal(data.length, 4);
      for (const [at, value] of expected.entries()) {
        t.ok(Math.abs((data[at] ?? 99) - value) < 0.06, `${data[at]} for ${value}`);
      }
    }
    await original.release();
    await model.close();
  });
}

t.test('numbers of half the width', async (t) => {
  const file = network({ type: FLOAT16, scale: [1], zeroPoint: 0 });
  const wide = network({ type: FLOAT, scale: [1], zeroPoint: 0, reader: 'Cast' });
  const options = { ...NO_PICTURE_OPTIONS, scaling: SIGNED_UNIT };
  const pixels = Uint8Array.from({ length: 3 * SIZE * SIZE }, (_, at) => (at * 37) % 256);
  const answers = await Promise.all(
    [file, wide].map(async (bytes) => {
      const { onnx, head } = convertOwnOnnx(bytes, options);
      const model = await openOnnx(onnx);
      const { data = [] } = (await model.run(pixels, SIZE, SIZE))[head.logits.name] ?? {};
      await model.close();
      return Array.from(data);
    }),
  );
  const [half = [], whole = []] = answers;
  t.ok(
    whole.every((value, at) => Math.abs(value - (half[at] ?? 99)) < 0.01),
    `${half} ${whole}`,
  );
});

t.test('pictures of which nobody can know how they are stored', (t) => {
  const cases: readonly (readonly [Stored, ChannelScaling | null, string, RegExp])[] = [
    [
      { type: UINT8, scale: [0.01, 0.02, 0.03], zeroPoint: 0 },
      null,
      'MND_MODEL_OPERATOR',
      /one scale and one zero point in the file.*found 3 scales; quantize it with one scale/,
    ],
    [
      { type: INT8, scale: [1], zeroPoint: 0, reader: 'Cast' },
      null,
      'MND_MODEL_OPERATOR',
      /whole numbers that nothing explains; export it with a float32 or uint8 input/,
    ],
    [
      { type: INT8, scale: [1 / 127], zeroPoint: 0, withoutZero: true },
      null,
      'MND_MODEL_OPERATOR',
      /an int8 picture with a scale and a zero point.*found a scale alone; export it/,
    ],
    [WIDE, BYTES, 'MND_USAGE', /numbers that the file stores, -2 to 1\.98; found 0 to 255/],
    [
      { type: FLOAT, scale: [2 / 255], zeroPoint: -1, reader: 'QuantizeLinear' },
      BYTES,
      'MND_USAGE',
      /numbers that the file stores, -0\.996 to 1; found 0 to 255/,
    ],
  ];
  for (const [stored, scaling, code, message] of cases) {
    const options = { ...NO_PICTURE_OPTIONS, scaling };
    t.throws(() => convertOwnOnnx(network(stored), options), { code, message });
  }
  t.end();
});
