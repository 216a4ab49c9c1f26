import t from 'tap';
import { convertDetectorGraph } from '#mobilenetd/convert/float-detector.js';
import { readTfjs } from '#mobilenetd/convert/tfjs/read.js';
import { createAnchors, decodeDetections } from '#mobilenetd/vision/ssd.js';
import { randomPicture } from '../random.js';
import { openOnnx } from '../session.js';
import { BLOCK_CUT, buildBlockModel, buildDetector } from './build-tfjs.js';

const SIZE = 140;

t.test('float32 and int8 forms of a small detector agree, at every size', async (t) => {
  const model = buildDetector();
  const float = convertDetectorGraph(readTfjs(model), { form: 'float32', calibration: null });
  t.same(float.input, { name: 'input', sizes: [300, 268, 236, 204, 172, 140] });
  t.equal(float.head.kind, 'ssd');
  t.equal(float.report.operators.conv, 21);
  const session = await openOnnx(float.onnx);
  const picture = randomPicture(SIZE, 2);
  const results = await session.run(picture, SIZE, SIZE);
  const ranges = new Map(
    Object.entries(results).map(([name, { data }]) => {
      return [name, [Math.min(...data), Math.max(...data)] as const];
    }),
  );
  const calibration = { channelScales: new Map(), means: new Map(), ranges };
  const int8 = convertDetectorGraph(readTfjs(model), { form: 'symmetric', calibration });
  const quantized = await openOnnx(int8.onnx);
  const stored = await quantized.run(picture, SIZE, SIZE);
  if (int8.head.kind !== 'ssd') throw new Error(int8.head.kind);
  for (const { boxes, scores } of int8.head.layers) {
    for (const { name, type, scale, zeroPoint } of [boxes, scores]) {
      t.equal(type, 'uint8');
      const expected = results[name]?.data ?? [];
      const errors = Array.from(stored[name]?.data ?? [], (value, i) => {
        return Math.abs((value - zeroPoint) * scale - (expected[i] ?? Number.NaN));
      });
      const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
      t.ok(mean < 0.05, `${name}: mean error ${mean}`);
    }
  }
  for (const size of int8.input.sizes) {
    const again = await quantized.run(randomPicture(size, 4), size, size);
    const outputs = int8.head.layers.map(({ boxes, scores }) => ({
      boxes: again[boxes.name]?.data ?? new Uint8Array(),
      scores: again[scores.name]?.data ?? new Uint8Array(),
    }));
    const anchors = createAnchors(int8.head, size, size);
    t.ok(decodeDetections(outputs, int8.head, anchors, { threshold: 0.01 }).length > 0, `${size}`);
  }
  await session.close();
  await quantized.close();
});

t.test('forms and heads that do not fit', async (t) => {
  const model = buildDetector();
  const mismatch = { code: 'MND_MODEL_MISMATCH' };
  t.throws(
    () => convertDetectorGraph(readTfjs(model), { form: 'symmetric', calibration: null }),
    mismatch,
  );
  t.throws(
    () => convertDetectorGraph(readTfjs(model), { form: 'reduced', calibration: null }),
    mismatch,
  );
  t.throws(
    () => convertDetectorGraph(readTfjs(model), { form: 'exact', calibration: null }),
    mismatch,
  );
  const block = readTfjs(buildBlockModel(), BLOCK_CUT);
  const options = { form: 'float32', calibration: null } as const;
  t.throws(() => convertDetectorGraph(block, options), mismatch);
  const graph = readTfjs(model);
  const swapped = { ...graph, outputs: graph.outputs.toReversed() };
  t.throws(() => convertDetectorGraph(swapped, options), mismatch);
});
