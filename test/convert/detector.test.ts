import t from 'tap';
import { convertTflite } from '#mobilenetd/convert/convert.js';
import { ssdModel } from './build-ssd.js';
import { buildTflite, type ModelSpec, type OperatorSpec } from './build-tflite.js';
import { openOracle } from './litert.js';
import { randomPicture } from './random.js';
import { openOnnx } from './session.js';

const { model, maps, postprocess, anchors } = ssdModel();

t.test('a detector is cut before its reshapes, feature map by feature map', async (t) => {
  const { onnx, head, input } = convertTflite(buildTflite(model), { form: 'exact' });
  t.strictSame(input, { name: 'input', sizes: [64] });
  t.match(head, {
    kind: 'ssd',
    classes: 5,
    boxScales: [10.5, 9, 5.25, 5],
    anchors: { referenceSize: 64 },
    layers: [{ stride: 16 }, { stride: 32 }, { stride: 64 }],
  });
  if (head.kind !== 'ssd') return;
  const detector = await openOnnx(onnx);
  for (const [layer, tensors] of maps.entries()) {
    const { boxes, scores } = head.layers[layer] ?? {};
    t.match(boxes, { name: `boxes_${layer}`, scale: Math.fround(0.05), zeroPoint: 100 });
    t.match(scores, { name: `scores_${layer}`, scale: Math.fround(0.06), zeroPoint: 150 });
    for (const [at, tensor] of tensors.entries()) {
      const name = (at === 0 ? boxes : scores)?.name ?? '';
      const oracle = await openOracle(
        buildTflite({ ...model, operators: before(tensor), outputs: [tensor] }),
      );
      for (let seed = 0; seed < 5; seed += 1) {
        const picture = randomPicture(64, seed);
        const expected = await oracle.run(picture, [1, 64, 64, 3]);
        const output = (await detector.run(picture, 64, 64))[name];
        t.strictSame(output?.dims, model.tensors[tensor]?.shape);
        t.strictSame([...(output?.data ?? [])], [...expected], `${name}, NHWC, bit for bit`);
      }
      oracle.close();
    }
  }
  await detector.close();
});

/** The operators up to the one that computes a tensor. */
function before(tensor: number): OperatorSpec[] {
  const last = model.operators.findIndex(({ outputs }) => outputs.includes(tensor));
  return model.operators.slice(0, last + 1);
}

t.test('the float form keeps the real values', async (t) => {
  const run = async (form: 'exact' | 'float32') => {
    const { onnx, head } = convertTflite(buildTflite(model), { form });
    const detector = await openOnnx(onnx);
    const outputs = await detector.run(randomPicture(64, 9), 64, 64);
    await detector.close();
    const layers = head.kind === 'ssd' ? head.layers : [];
    return layers.flatMap(({ boxes, scores }) =>
      [boxes, scores].map(({ name, scale, zeroPoint }) =>
        Array.from(outputs[name]?.data ?? [], (value) => (value - zeroPoint) * scale),
      ),
    );
  };
  const [exact, float] = [await run('exact'), await run('float32')];
  for (const [index, values] of exact.entries()) {
    const errors = values.map((value, at) => Math.abs(value - (float[index]?.[at] ?? Number.NaN)));
    t.ok(Math.max(...errors) < 0.2, `output ${index}: ${Math.max(...errors)}`);
  }
});

function withOperator(index: number, change: Partial<OperatorSpec>): ModelSpec {
  const operators = model.operators.map((operator, at) =>
    at === index ? { ...operator, ...change } : operator,
  );
  return { ...model, operators };
}

t.test('heads that are no SSD of the zoo are refused', async (t) => {
  const otherAnchors = model.tensors.map((tensor, at) =>
    at === anchors ? { ...tensor, data: new Uint8Array((tensor.shape[0] ?? 0) * 4) } : tensor,
  );
  const inputs = model.operators[postprocess]?.inputs ?? [];
  const cases: readonly (readonly [string, ModelSpec, string, RegExp])[] = [
    ['other anchors', { ...model, tensors: otherAnchors }, 'MND_MODEL_MISMATCH', /anchor 0/],
    [
      'boxes and scores swapped',
      withOperator(postprocess, { inputs: [inputs[1] ?? 0, inputs[0] ?? 0, inputs[2] ?? 0] }),
      'MND_MODEL_SHAPE',
      /detector head|convolution/,
    ],
    [
      'no anchors',
      withOperator(postprocess, { inputs: inputs.slice(0, 2) }),
      'MND_MODEL_INVALID',
      /3 inputs/,
    ],
    [
      'boxes straight from the picture',
      withOperator(postprocess, { inputs: [0, inputs[1] ?? 0, inputs[2] ?? 0] }),
      'MND_MODEL_SHAPE',
      /CONCATENATION/,
    ],
    [
      'damaged settings',
      withOperator(postprocess, { customOptions: Uint8Array.of(255, 255, 255) }),
      'MND_MODEL_INVALID',
      /operator \d+ \(TFLite_Detection_PostProcess\)/,
    ],
  ];
  for (const [name, spec, code, message] of cases) {
    t.throws(() => convertTflite(buildTflite(spec), { form: 'exact' }), { code, message }, name);
  }
});
