import t from 'tap';
import { convertOwnOnnx } from '#mobilenetd/convert/own-onnx/convert.js';
import { type ChannelScaling, NO_PICTURE_OPTIONS } from '#mobilenetd/convert/scaling.js';
import { createRandom } from '../random.js';
import { openOnnx } from '../session.js';
import { BIAS, type ClassifierOptions, classifierSpec, encodeOnnx, WEIGHTS } from './build-onnx.js';

const SIZE = 8;
const SCALING: ChannelScaling = {
  mean: [123.675, 116.28, 103.53],
  scale: [0.01712, 0.01751, 0.01743],
};

function randomPixels(seed: number): Uint8Array {
  const random = createRandom(seed);
  return Uint8Array.from({ length: SIZE * SIZE * 3 }, () => random(256));
}

/** Mean of each channel, red first, after `real`. */
function channelMeans(picture: Uint8Array, real: (pixel: number, channel: number) => number) {
  const sums = [0, 0, 0];
  for (const [index, pixel] of picture.entries()) {
    sums[index % 3] = (sums[index % 3] ?? 0) + real(pixel, index % 3) / (SIZE * SIZE);
  }
  return sums;
}

function logitsOf(means: readonly number[]): number[] {
  return WEIGHTS.map((row, index) =>
    means.reduce((sum, mean, at) => sum + mean * (row[at] ?? 0), BIAS[index] ?? 0),
  );
}

interface Case {
  readonly options: ClassifierOptions;
  readonly scaling?: ChannelScaling | null;
  readonly expected: (picture: Uint8Array) => readonly number[];
  readonly form?: 'exact' | 'float32';
  readonly tolerance?: number;
}

const scaled =
  ({ mean, scale }: ChannelScaling) =>
  (picture: Uint8Array) =>
    channelMeans(picture, (pixel, channel) => {
      const at = mean.length === 1 ? 0 : channel;
      return (pixel - (mean[at] ?? 0)) * (scale[scale.length === 1 ? 0 : channel] ?? 1);
    });

const plain = scaled({ mean: [0], scale: [1] });
const unit = scaled({ mean: [0], scale: [1 / 255] });
const signed = scaled({ mean: [127.5], scale: [1 / 127.5] });

/** Luma of the channels' means, for one weight a class. */
const grey = (means: readonly number[]) => [
  0.299 * (means[0] ?? 0) + 0.587 * (means[1] ?? 0) + 0.114 * (means[2] ?? 0),
];

const CASES: Readonly<Record<string, Case>> = {
  'NCHW, a scaling a channel': { options: {}, scaling: SCALING, expected: scaled(SCALING) },
  'NHWC, a scaling a channel': {
    options: { layout: 'nhwc' },
    scaling: SCALING,
    expected: scaled(SCALING),
  },
  'any batch, logits': {
    options: { batch: 'N', end: 'logits' },
    scaling: { mean: [127.5], scale: [1 / 127.5] },
    expected: signed,
  },
  'softmax with a reshape behind it': {
    options: { end: 'softmax-flatten', layout: 'nhwc' },
    scaling: { mean: [0], scale: [1 / 255] },
    expected: unit,
  },
  'uint8 pixels': { options: { type: 'uint8' }, expected: plain },
  'uint8 pixels, NHWC': { options: { type: 'uint8', layout: 'nhwc' }, expected: plain },
  'grey, NCHW': {
    options: { channels: 1 },
    scaling: { mean: [0], scale: [1 / 255] },
    expected: (picture) => grey(unit(picture)),
  },
  'grey, NHWC': {
    options: { channels: 1, layout: 'nhwc' },
    scaling: { mean: [127.5], scale: [1 / 127.5] },
    expected: (picture) => grey(signed(picture)),
  },
  'grey uint8, rounded pixel by pixel': {
    options: { channels: 1, layout: 'nhwc', type: 'uint8' },
    expected: (picture) => grey(plain(picture)),
    tolerance: 0.5,
  },
  'mean and std in the metadata': {
    options: { metadata: { mean: '[123.675, 116.28, 103.53]', std: '58.4 57.1 57.4' } },
    expected: scaled({ mean: SCALING.mean, scale: [1 / 58.4, 1 / 57.1, 1 / 57.4] }),
  },
  "ONNX' own metadata, blue first": {
    options: {
      metadata: {
        'Image.NominalPixelRange': 'Normalized_1_1',
        'Image.BitmapPixelFormat': 'Bgr8',
      },
    },
    expected: (picture) => signed(picture).reverse(),
  },
  'what is given goes before the metadata': {
    options: { metadata: { mean: '9', scale: '9' } },
    scaling: SCALING,
    expected: scaled(SCALING),
  },
  'an old file that lists its constants among the inputs': {
    options: { old: true, opset: 9 },
    scaling: SCALING,
    expected: scaled(SCALING),
  },
  "names that are the wrapping's own": {
    options: { inputName: 'picture' },
    scaling: SCALING,
    expected: scaled(SCALING),
  },
  'names like those inside the wrapping': {
    options: { inputName: 'picture:0' },
    scaling: SCALING,
    expected: scaled(SCALING),
  },
  'quantized operators': {
    options: { quantized: true },
    scaling: { mean: [127.5], scale: [1 / 127.5] },
    expected: signed,
    form: 'exact',
    tolerance: 0.02,
  },
};

for (const [name, { options, scaling = null, expected, form, tolerance = 1e-3 }] of Object.entries(
  CASES,
)) {
  t.test(name, async (t) => {
    const converted = convertOwnOnnx(encodeOnnx(classifierSpec(options)), {
      ...NO_PICTURE_OPTIONS,
      scaling: scaling ?? null,
    });
    t.equal(converted.form, form ?? 'float32');
    t.strictSame(converted.input.sizes, [SIZE]);
    t.match(converted.head, { kind: 'classifier', classes: 4, logits: { type: 'float32' } });
    if (converted.head.kind !== 'classifier') throw new Error('no classifier');
    const model = await openOnnx(converted.onnx);
    for (let seed = 0; seed < 3; seed += 1) {
      const picture = randomPixels(seed);
      const { data = [], dims } = (await model.run(picture, SIZE, SIZE))[
        converted.head.logits.name
      ] ?? { dims: [] };
      t.strictSame(dims, [1, 4]);
      for (const [index, value] of logitsOf(expected(picture)).entries()) {
        const found = data[index] ?? Number.NaN;
        const bound = tolerance * Math.max(1, Math.abs(value));
        t.ok(Math.abs(found - value) < bound, `${found} for ${value}`);
      }
    }
    await model.close();
  });
}

t.test('a float picture needs a scaling, from somewhere', (t) => {
  const file = (options: ClassifierOptions) => encodeOnnx(classifierSpec(options));
  t.throws(() => convertOwnOnnx(file({}), NO_PICTURE_OPTIONS), {
    code: 'MND_MODEL_QUESTION',
    message: /--mean/,
  });
  const three = { mean: [1, 2, 3], scale: [1] };
  t.throws(() => convertOwnOnnx(file({ channels: 1 }), { ...NO_PICTURE_OPTIONS, scaling: three }), {
    code: 'MND_USAGE',
  });
  const one = { mean: [0], scale: [1] };
  t.throws(() => convertOwnOnnx(file({ type: 'uint8' }), { ...NO_PICTURE_OPTIONS, scaling: one }), {
    code: 'MND_USAGE',
    message: /uint8/,
  });
  const metadata = { mean: '0', std: '0' };
  t.throws(() => convertOwnOnnx(file({ metadata }), NO_PICTURE_OPTIONS), {
    code: 'MND_MODEL_INVALID',
  });
  t.end();
});
