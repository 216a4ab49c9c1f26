import t from 'tap';
import { convertTflite, readTflite } from '#mobilenetd/convert/convert.js';
import { MOBILENET_V1 } from '#mobilenetd/families/mobilenet-v1.js';
import { mobilenetV1Spec } from './build-mobilenet.js';
import { buildTflite } from './build-tflite.js';
import { openOracle, withoutLastOperator } from './litert.js';
import { randomPicture } from './random.js';
import { openOnnx } from './session.js';

const ALPHAS = [1, 0.75, 0.5, 0.25];
const SIZES = [224, 192, 160, 128];
const CLASSES = 1001;

for (const alpha of ALPHAS) {
  for (const size of SIZES) {
    t.test(`MobileNetV1 ${alpha} at ${size} px`, async (t) => {
      const network = { alpha, size, classes: CLASSES };
      const file = buildTflite(mobilenetV1Spec(network));
      t.strictSame(MOBILENET_V1.recognise(readTflite(file).graph), network);
      const picture = randomPicture(size, 7);
      const oracle = await openOracle(withoutLastOperator(file));
      const expected = await oracle.run(picture, [1, size, size, 3]);
      oracle.close();
      t.ok(new Set(expected).size > 20, 'the logits differ from each other');

      const exact = convertTflite(file, { form: 'exact' });
      t.match(exact, {
        input: { name: 'input', sizes: [size] },
        head: { kind: 'classifier', classes: CLASSES, logits: { name: 'logits', type: 'uint8' } },
      });
      const { totals } = MOBILENET_V1.describe(network);
      t.equal(exact.report.multAdds, totals.multAdds / 1e6);
      const model = await openOnnx(exact.onnx);
      const { logits } = await model.run(picture, size, size);
      const start = performance.now();
      for (let run = 0; run < 3; run += 1) await model.run(picture, size, size);
      t.comment(`${((performance.now() - start) / 3).toFixed(1)} ms an inference`);
      await model.close();
      t.strictSame(logits?.dims, [1, CLASSES]);
      t.strictSame([...(logits?.data ?? [])], [...expected], 'the exact form is bit for bit');
    });
  }
}

t.test('the other forms stay near the exact one', async (t) => {
  const size = 96;
  const file = buildTflite(mobilenetV1Spec({ alpha: 0.5, size, classes: 50 }, 3));
  const picture = randomPicture(size, 4);
  const real: number[][] = [];
  for (const form of ['exact', 'symmetric', 'reduced', 'float32'] as const) {
    const { onnx, head, form: made } = convertTflite(file, { form });
    t.equal(made, form);
    if (head.kind !== 'classifier') throw new Error('no classifier');
    const { name, type, scale, zeroPoint } = head.logits;
    const model = await openOnnx(onnx, form);
    const output = (await model.run(picture, size, size))[name];
    await model.close();
    t.equal(output?.type, type);
    real.push(Array.from(output?.data ?? [], (value) => (value - zeroPoint) * scale));
  }
  const [exact = [], symmetric = [], reduced = [], float = []] = real;
  const error = (values: readonly number[]) =>
    Math.sqrt(values.reduce((sum, value, i) => sum + (value - (exact[i] ?? 0)) ** 2, 0) / 50);
  const spread = Math.sqrt(exact.reduce((sum, value) => sum + value ** 2, 0) / 50);
  t.comment(`rms logit ${spread}, error symmetric ${error(symmetric)}, float ${error(float)}`);
  t.ok(error(symmetric) < 0.1 * spread, `symmetric: ${error(symmetric)} of ${spread}`);
  t.ok(error(reduced) < 0.1 * spread, `reduced: ${error(reduced)} of ${spread}`);
  t.ok(error(float) < 0.1 * spread, `float32: ${error(float)} of ${spread}`);
});

t.test('a network is recognised at any α and size, and only as what it is', async (t) => {
  const networks = [
    { alpha: 0.3, size: 32, classes: 2 },
    { alpha: 0.07, size: 64, classes: 11 },
    { alpha: 0.66, size: 96, classes: 3 },
  ];
  for (const network of networks) {
    const { graph } = readTflite(buildTflite(mobilenetV1Spec(network)));
    t.strictSame(MOBILENET_V1.recognise(graph), network);
  }
});
