import t from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { NO_PICTURE_OPTIONS, SIGNED_UNIT } from '#mobilenetd/convert/scaling.js';
import { rawSsdModel } from './build-raw-ssd.js';
import { buildTflite, type ModelSpec } from './build-tflite.js';
import { openOracle } from './litert.js';
import { randomPicture } from './random.js';
import { openOnnx } from './session.js';

const PICTURE = { ...NO_PICTURE_OPTIONS, scaling: SIGNED_UNIT };

const { model, joints } = rawSsdModel();
const SIZE = 300;

t.test('a float SSD without post-processing, boxes and scores as LiteRT.js has them', async (t) => {
  const { onnx, head, input, report } = convertTflite(buildTflite(model), {
    form: 'float32',
    picture: PICTURE,
  });
  t.strictSame(input.sizes, [300, 268, 236, 204, 172, 140]);
  t.ok((report.multAdds ?? 0) > 1, 'multiply-adds at the native size');
  if (head.kind !== 'ssd') throw new Error('no detector');
  t.equal(head.classes, 3);
  t.strictSame(
    head.layers.map(({ stride }) => stride),
    [16, 32, 64, 128, 256, 512],
  );
  const session = await openOnnx(onnx);
  const picture = randomPicture(SIZE, 1);
  const outputs = await session.run(picture, SIZE, SIZE);
  const real = Float32Array.from(picture, (value) => value / 127.5 - 1);
  for (const [place, part] of (['boxes', 'scores'] as const).entries()) {
    const [output = 0] = model.outputs.slice(place);
    const oracle = await openOracle(buildTflite({ ...model, outputs: [output] }));
    const expected = await oracle.run(real, [1, SIZE, SIZE, 3]);
    oracle.close();
    const found = head.layers.flatMap((layer) => Array.from(outputs[layer[part].name]?.data ?? []));
    t.equal(found.length, expected.length, part);
    const errors = found.map((value, index) => Math.abs(value - (expected[index] ?? 99)));
    t.ok(Math.max(...errors) < 1e-4, `${part}: ${Math.max(...errors)}`);
  }
  // Side lengths that are not in the file: nothing in the network depends on its size.
  for (const size of [236, 140]) {
    const small = await session.run(randomPicture(size, 2), size, size);
    const side = Math.ceil(size / 16);
    t.strictSame(small[head.layers[0]?.boxes.name ?? '']?.dims, [1, side, side, 12]);
  }
  await session.close();
});

t.test('what is no such detector', (t) => {
  const [boxes = 0, scores = 0] = model.outputs;
  const withOperator = (at: number, change: object): ModelSpec => ({
    ...model,
    operators: model.operators.map((operator, index) =>
      index === at ? { ...operator, ...change } : operator,
    ),
  });
  const inputs = model.operators[joints[1]]?.inputs ?? [];
  const cases: readonly (readonly [string, ModelSpec, string])[] = [
    ['outputs in the other order', { ...model, outputs: [scores, boxes] }, 'MND_MODEL_SHAPE'],
    ['one output', { ...model, outputs: [boxes] }, 'MND_MODEL_'],
    [
      'scores of fewer layers',
      withOperator(joints[1], { inputs: inputs.slice(1) }),
      'MND_MODEL_SHAPE',
    ],
    [
      'scores of one layer twice',
      withOperator(joints[1], { inputs: [...inputs.slice(1), inputs[1] ?? 0] }),
      'MND_MODEL_SHAPE',
    ],
    [
      'a convolution that depends on the size',
      withOperator(0, {
        options: { union: 1, int8: { 0: 1, 3: 3 }, int32: { 1: 2, 2: 2, 4: 1, 5: 1 } },
      }),
      'MND_MODEL_OPERATOR',
    ],
  ];
  for (const [name, spec, code] of cases) {
    t.throws(
      () => convertTflite(buildTflite(spec), { form: 'float32', picture: PICTURE }),
      { code: new RegExp(`^${code}`) },
      name,
    );
  }
  for (const form of ['exact', 'symmetric'] as const) {
    t.throws(() => convertTflite(buildTflite(model), { form, picture: PICTURE }), {
      code: 'MND_MODEL_MISMATCH',
      message: /calibration/,
    });
  }
  t.end();
});
