import t from 'tap';
import { convertOwnOnnx } from '#mobilenetd/convert/own-onnx/convert.js';
import { NO_PICTURE_OPTIONS, UNIT } from '#mobilenetd/convert/scaling.js';
import { ort } from '#mobilenetd/inference/runtime.js';
import { measureScores } from '#mobilenetd/models/install/measure-scores.js';
import { topClasses } from '#mobilenetd/vision/topk.js';
import { createRandom } from '../random.js';
import { openOnnx } from '../session.js';
import { encodeOnnx, FLOAT, floats, UINT8, valueInfo } from './build-onnx.js';

const SIZE = 32;
const PICTURE = { ...NO_PICTURE_OPTIONS, scaling: UNIT };

type Attribute = { name: string; type: number; i?: number; f?: number; ints?: number[] };
interface Node {
  readonly opType: string;
  readonly inputs?: readonly string[];
  readonly domain?: string;
  readonly attribute?: readonly Attribute[];
}

const AXIS: Attribute = { name: 'axis', type: 2, i: 1 };
const longs = (name: string, int64Data: number[]) => {
  return { name, dims: [int64Data.length], dataType: 7, int64Data };
};
const QUANTIZE = { opType: 'QuantizeLinear', inputs: ['step', 'zero'] };
const DEQUANTIZE = { opType: 'DequantizeLinear', inputs: ['step', 'zero'] };
const FINE = (opType: string) => ({ opType, inputs: ['fine', 'none'] });

/** A classifier of five classes (or as many as are asked for) that ends in some operators. */
function network(
  end: readonly Node[],
  output: readonly number[] = [1, 5],
  classes = 5,
): Uint8Array {
  const random = createRandom(4);
  const node: object[] = [];
  let value = 'input';
  const all: readonly Node[] = [
    { opType: 'GlobalAveragePool' },
    { opType: 'Flatten' },
    { opType: 'Gemm', inputs: ['weights', 'bias'] },
    ...end,
  ];
  for (const [index, { opType, inputs = [], domain = '', attribute = [] }] of all.entries()) {
    const name = `v${index}`;
    node.push({ opType, domain, input: [value, ...inputs], output: [name], attribute });
    value = name;
  }
  const numbers = (count: number, span: number) =>
    Array.from({ length: count }, () => (random(2000) / 1000 - 1) * span);
  return encodeOnnx({
    irVersion: 8,
    opsetImport: [
      { domain: '', version: 17 },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: {
      name: 'g',
      node,
      initializer: [
        floats('weights', [3, classes], numbers(3 * classes, 4)),
        floats('bias', [classes], numbers(classes, 1)),
        floats('step', [], [0.05]),
        { name: 'zero', dims: [], dataType: UINT8, int32Data: [128] },
        floats('fine', [], [1 / 256]),
        { name: 'none', dims: [], dataType: UINT8, int32Data: [0] },
        floats('one', [], [1]),
        floats('hundred', [], [100]),
        floats('third', [], [1 / 3]),
        floats('little', [], [0.01]),
        floats('low', [], [0.1]),
        floats('high', [], [0.9]),
        longs('order', [4, 3, 2, 1, 0]),
        longs('six', [4, 3, 2, 1, 0, 2]),
        longs('from', [1]),
        longs('to', [4]),
        longs('along', [1]),
        longs('map', [1, 5, 1, 1]),
        longs('rows', [1, 3, 2]),
      ],
      input: [valueInfo('input', FLOAT, [1, 3, SIZE, SIZE])],
      output: [valueInfo(value, FLOAT, output)],
    },
  });
}

const MICROSOFT = 'com.microsoft';
const QLINEAR = { domain: MICROSOFT, inputs: ['step', 'zero', 'fine', 'none'] };
const SOFTMAX_VERSION: Attribute = { name: 'opset', type: 2, i: 13 };

const ENDS: Readonly<Record<string, readonly Node[]>> = {
  softmax: [{ opType: 'Softmax', attribute: [AXIS] }],
  'softmax between quantize and dequantize': [
    QUANTIZE,
    DEQUANTIZE,
    { opType: 'Softmax', attribute: [AXIS] },
    FINE('QuantizeLinear'),
    FINE('DequantizeLinear'),
  ],
  QLinearSoftmax: [
    QUANTIZE,
    { opType: 'QLinearSoftmax', ...QLINEAR, attribute: [AXIS, SOFTMAX_VERSION] },
    FINE('DequantizeLinear'),
  ],
  'a sigmoid': [{ opType: 'Sigmoid' }],
  QLinearSigmoid: [QUANTIZE, { opType: 'QLinearSigmoid', ...QLINEAR }, FINE('DequantizeLinear')],
  'a sigmoid behind a multiplication': [{ opType: 'Sigmoid' }, { opType: 'Mul', inputs: ['one'] }],
  'a softmax behind a multiplication': [
    { opType: 'Softmax', attribute: [AXIS] },
    { opType: 'Mul', inputs: ['one'] },
  ],
  'a temperature before the softmax': [
    { opType: 'Mul', inputs: ['third'] },
    { opType: 'Softmax', attribute: [AXIS] },
  ],
  'a softmax twice': [
    { opType: 'Softmax', attribute: [AXIS] },
    { opType: 'Softmax', attribute: [AXIS] },
  ],
  'a softmax, turned round': [
    { opType: 'Softmax', attribute: [AXIS] },
    { opType: 'Gather', inputs: ['order'], attribute: [AXIS] },
  ],
  'a softmax of which some classes go on': [
    { opType: 'Softmax', attribute: [AXIS] },
    { opType: 'Slice', inputs: ['from', 'to', 'along'] },
  ],
  'a softmax and a reshape': [
    { opType: 'Softmax', attribute: [AXIS] },
    { opType: 'Reshape', inputs: ['map'] },
    { opType: 'Flatten' },
  ],
  'a softmax over one row of two': [
    { opType: 'Gather', inputs: ['six'], attribute: [AXIS] },
    { opType: 'Reshape', inputs: ['rows'] },
    { opType: 'Softmax', attribute: [{ name: 'axis', type: 2, i: 2 }] },
    { opType: 'Flatten' },
  ],
  'a softmax and a little for each class': [
    { opType: 'Softmax', attribute: [AXIS] },
    { opType: 'Add', inputs: ['little'] },
  ],
  'a mean of maps of probabilities': [
    { opType: 'Softmax', attribute: [AXIS] },
    { opType: 'Reshape', inputs: ['map'] },
    { opType: 'GlobalAveragePool' },
    { opType: 'Flatten' },
  ],
  'the logarithm of a softmax and its exponential': [
    { opType: 'LogSoftmax', attribute: [AXIS] },
    { opType: 'Exp' },
  ],
  'a softmax of parts': [
    { opType: 'Exp' },
    { opType: 'Div', inputs: ['hundred'] },
    { opType: 'Softmax', attribute: [AXIS] },
  ],
  'a sigmoid whose scores are cut off': [
    { opType: 'Sigmoid' },
    { opType: 'Clip', inputs: ['low', 'high'] },
  ],
  'a hard sigmoid': [{ opType: 'HardSigmoid' }],
};

/** Classes that come out where it is not five. */
const CLASSES: Readonly<Record<string, number>> = {
  'a softmax of which some classes go on': 3,
  'a softmax over one row of two': 6,
};

for (const [name, end] of Object.entries(ENDS)) {
  t.test(`scores are the original's: ${name}`, async (t) => {
    const classes = CLASSES[name] ?? 5;
    const file = network(end, [1, classes]);
    const original = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
    const { model: converted, scores } = await measureScores(convertOwnOnnx(file, PICTURE));
    const { logits } = converted.head;
    const model = await openOnnx(converted.onnx);
    const random = createRandom(7);
    for (let round = 0; round < 3; round += 1) {
      const pixels = Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, at) =>
        random(80 + 80 * (at % 3)),
      );
      const planes = Float32Array.from({ length: pixels.length }, (_, at) => {
        const channel = Math.floor(at / (SIZE * SIZE));
        return (pixels[3 * (at % (SIZE * SIZE)) + channel] ?? 0) / 255;
      });
      const feeds = { input: new ort.Tensor('float32', planes, [1, 3, SIZE, SIZE]) };
      const expected = Object.values(await original.run(feeds))[0]?.data;
      if (!(expected instanceof Float32Array)) throw new Error('no scores');
      const { data } = (await model.run(pixels, SIZE, SIZE))[logits.name] ?? {};
      for (const { index, score } of topClasses(
        data ?? new Uint8Array(),
        logits,
        classes,
        scores,
      )) {
        t.ok(Math.abs(score - (expected[index] ?? 9)) < 0.01, `${score} for ${expected[index]}`);
      }
    }
    await original.release();
    await model.close();
  });
}

t.test('plain logits are logits', async (t) => {
  const converted = convertOwnOnnx(network([]), PICTURE);
  t.match(converted, { end: { original: null }, head: { scores: 'softmax', classes: 5 } });
  t.match(await measureScores(converted), { scores: 'softmax' });
});

t.test('rows in other shapes', (t) => {
  const row = network([{ opType: 'Unsqueeze', inputs: ['axes'] }], [1, 1, 5]);
  t.throws(() => convertOwnOnnx(row, PICTURE), { code: 'MND_MODEL_INVALID' }, 'axes are missing');
  const flat = network([{ opType: 'Softmax', attribute: [AXIS] }], [1, 5, 1, 1]);
  t.equal(convertOwnOnnx(flat, PICTURE).head.classes, 5);
  t.end();
});

t.test('percentages behind a sigmoid are refused', async (t) => {
  const end = [{ opType: 'Sigmoid' }, { opType: 'Mul', inputs: ['hundred'] }];
  await t.rejects(measureScores(convertOwnOnnx(network(end), PICTURE)), {
    code: 'MND_MODEL_SHAPE',
    message:
      /logits, or scores from 0 to 1; found .* behind a softmax or sigmoid; export the network/,
  });
});

t.test('one output: a sigmoid is a score, anything else a regression', async (t) => {
  const sigmoid = convertOwnOnnx(network([{ opType: 'Sigmoid' }], [1, 1], 1), PICTURE);
  t.match(sigmoid.head, { classes: 1, scores: 'sigmoid' });
  for (const end of [[], [{ opType: 'Softmax', attribute: [AXIS] }]]) {
    t.throws(() => convertOwnOnnx(network(end, [1, 1], 1), PICTURE), {
      code: 'MND_MODEL_SHAPE',
      message: /looks like a regression/,
    });
  }
});

t.test('networks that are no classifiers are called by their name', (t) => {
  const cases: readonly (readonly [readonly number[], RegExp])[] = [
    [[1, 84, 8400], /looks like a YOLOv8 or YOLO11 detector; take a TensorFlow Lite SSD/],
    [[1, 56, 8400], /looks like a YOLOv8 pose network/],
    [[1, 3549, 85], /looks like a YOLOv5, YOLOv7 or YOLOX detector/],
    [[1, 300, 6], /looks like a detector with suppression inside/],
    [[1, 21, 65, 65], /looks like a segmentation or heat map network/],
  ];
  for (const [shape, message] of cases) {
    t.throws(() => convertOwnOnnx(network([], shape), PICTURE), {
      code: 'MND_MODEL_SHAPE',
      message,
    });
  }
  t.end();
});
