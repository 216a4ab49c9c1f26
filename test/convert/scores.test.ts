import t from 'tap';
import { type ConvertedModel, convertTflite } from '#mobilenetd/convert/convert.js';
import { type ChannelScaling, NO_PICTURE_OPTIONS, UNIT } from '#mobilenetd/convert/scaling.js';
import { topClasses } from '#mobilenetd/vision/topk.js';
import { CODE } from './build-mobilenet.js';
import { createSpec, type SpecBuilder } from './build-small.js';
import { buildTflite, type OperatorSpec } from './build-tflite.js';
import { openOracle } from './litert.js';
import { createRandom, randomPicture } from './random.js';
import { openOnnx } from './session.js';

const SIZE = 8;
const CLASSES = 5;
const PICTURE = { ...NO_PICTURE_OPTIONS, scaling: UNIT };
const LOG_SOFTMAX = 50;

/** What is put behind a small float classifier's last layer; gives the tensor that comes out. */
type End = (spec: SpecBuilder, logits: number) => number;

const step =
  (code: number, options?: OperatorSpec['options'], constant?: readonly number[]): End =>
  (spec, from) => {
    const to = spec.activation([1, CLASSES], 1, 0, 'float32');
    const data = constant === undefined ? null : Float32Array.from(constant);
    const numbers = {
      name: 'c',
      type: 'float32',
      shape: data?.length === 1 ? [] : [CLASSES],
    } as const;
    const inputs = data === null ? [from] : [from, spec.tensor({ ...numbers, data })];
    spec.operator({ code, inputs, outputs: [to], ...(options && { options }) });
    return to;
  };

const softmax = step(CODE.SOFTMAX, { union: 9, float32: { 0: 1 } });
const sigmoid = step(CODE.LOGISTIC);
const times = (value: number) => step(CODE.MUL, { union: 21 }, [value]);
const plus = (value: number) => step(CODE.ADD, { union: 11 }, [value]);

function network(ends: readonly End[], scores = CLASSES): Uint8Array {
  const random = createRandom(11);
  const spec = createSpec(2);
  const floats = (shape: readonly number[], span: number) => {
    const count = shape.reduce((product, side) => product * side, 1);
    const data = Float32Array.from({ length: count }, () => (random(2001) / 1000 - 1) * span);
    return spec.tensor({ name: 'weights', type: 'float32', shape, data });
  };
  const picture = spec.activation([1, SIZE, SIZE, 3], 1, 0, 'float32');
  const pooled = spec.activation([1, 3], 1, 0, 'float32');
  const axes = { name: 'axes', type: 'int32', shape: [2], data: Int32Array.of(1, 2) } as const;
  spec.operator({
    code: CODE.MEAN,
    inputs: [picture, spec.tensor(axes)],
    outputs: [pooled],
    options: { union: 27 },
  });
  const logits = spec.activation([1, scores], 1, 0, 'float32');
  spec.operator({
    code: CODE.FULLY_CONNECTED,
    inputs: [pooled, floats([scores, 3], 4), floats([scores], 1)],
    outputs: [logits],
    options: { union: 8 },
  });
  let last = logits;
  for (const end of ends) last = end(spec, last);
  return buildTflite(spec.finish([picture], [last]));
}

const ENDS: Readonly<Record<string, readonly End[]>> = {
  'a softmax': [softmax],
  'a sigmoid': [sigmoid],
  'a temperature before the softmax': [times(0.25), softmax],
  'a shift before the sigmoid': [plus(-1), sigmoid],
  'a sigmoid before the softmax': [sigmoid, softmax],
};

for (const [name, ends] of Object.entries(ENDS)) {
  t.test(`scores are the original's: ${name}`, async (t) => {
    const file = network(ends);
    const oracle = await openOracle(file);
    const model = convertTflite(file, { form: 'float32', picture: PICTURE });
    for (let seed = 0; seed < 3; seed += 1) {
      const pixels = randomPicture(SIZE, seed);
      const input = Float32Array.from(pixels, (pixel) => pixel / 255);
      const expected = await oracle.run(input, [1, SIZE, SIZE, 3]);
      for (const { index, score } of await scoresOf(model, pixels)) {
        t.ok(Math.abs(score - (expected[index] ?? 9)) < 1e-3, `${score} for ${expected[index]}`);
      }
    }
    oracle.close();
  });
}

t.test('the logarithm of a softmax is one', async (t) => {
  const [log, plain] = [[step(LOG_SOFTMAX)], [softmax]].map((ends) =>
    convertTflite(network(ends), { form: 'float32', picture: PICTURE }),
  );
  if (log === undefined || plain === undefined) throw new Error('no model');
  const pixels = randomPicture(SIZE, 4);
  t.strictSame(await scoresOf(log, pixels), await scoresOf(plain, pixels));
});

async function scoresOf({ onnx, head }: ConvertedModel, pixels: Uint8Array) {
  if (head.kind !== 'classifier') throw new Error('no classifier');
  const session = await openOnnx(onnx, 'float32');
  const { data = new Float32Array() } = (await session.run(pixels, SIZE, SIZE)).logits ?? {};
  await session.close();
  return topClasses(data, head.logits, head.classes, head.scores);
}

t.test('ends that would be read wrongly are refused', (t) => {
  const last = /export the network with its softmax or sigmoid as the last operator/;
  const cases: Readonly<Record<string, readonly [readonly End[], string, RegExp]>> = {
    'a sigmoid times 100': [[sigmoid, times(100)], 'MND_MODEL_SHAPE', last],
    'a sigmoid and a shift': [[sigmoid, plus(0.5)], 'MND_MODEL_SHAPE', last],
    'a sigmoid, cut off': [[sigmoid, step(CODE.RELU6)], 'MND_MODEL_SHAPE', last],
    'a softmax times 100': [[softmax, times(100)], 'MND_MODEL_OPERATOR', /softmax at the end/],
    'a softmax twice': [[softmax, softmax], 'MND_MODEL_OPERATOR', /softmax at the end/],
    'a softmax of another base': [
      [step(CODE.SOFTMAX, { union: 9, float32: { 0: 2 } })],
      'MND_MODEL_OPERATOR',
      /beta 1; found 2/,
    ],
  };
  for (const [name, [ends, code, message]] of Object.entries(cases)) {
    const convert = () => convertTflite(network(ends), { form: 'float32', picture: PICTURE });
    t.throws(convert, { code, message }, name);
  }
  t.throws(() => convertTflite(network([], 1), { form: 'float32', picture: PICTURE }), {
    message: /looks like a regression/,
  });
  t.end();
});

t.test('numbers that make no picture', (t) => {
  const nonsense: readonly (readonly [ChannelScaling, RegExp])[] = [
    [{ mean: [0.5], scale: [2] }, /a mean in pixels, 0 to 255; found 0\.5/],
    [
      { mean: [0.485, 0.456, 0.406], scale: [0.01712] },
      /a mean in pixels; found|0 to 255; found 0\.485/,
    ],
    [{ mean: [0], scale: [2] }, /found \[0, 510\]/],
    [{ mean: [127.5], scale: [0.5] }, /found \[-63\.8, 63\.8\]/],
  ];
  for (const [scaling, message] of nonsense) {
    const picture = { ...NO_PICTURE_OPTIONS, scaling };
    const convert = () => convertTflite(network([softmax]), { form: 'float32', picture });
    t.throws(convert, { code: 'MND_USAGE', message });
  }
  t.end();
});
