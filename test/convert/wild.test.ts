import { readFileSync } from 'node:fs';
import t from 'tap';
import { convertTflite, readTflite } from '#mobilenetd/convert/convert.js';
import { BYTES, NO_PICTURE_OPTIONS, UNIT } from '#mobilenetd/convert/scaling.js';
import { readTfliteMetadata } from '#mobilenetd/convert/tflite/metadata.js';
import { packedFile } from '#mobilenetd/models/install/packed-files.js';
import { createAnchors, decodeDetections } from '#mobilenetd/vision/ssd.js';
import { withFloatEnds, withOutputShapes } from './float-ends.js';
import { openOracle, type Values } from './litert.js';
import { networkInput, testPictures, wildModel } from './mirror.js';
import { openOnnx } from './session.js';

const pictures = (await testPictures()).filter((_, index) => index % 12 === 0);

interface Wild {
  readonly file: string;
  readonly size: number;
  /** What the original takes of a pixel. */
  readonly real: (pixel: number) => number;
  /** An int8 network is given real numbers, which it quantizes itself. */
  readonly type: 'float32' | 'uint8' | 'int8';
  readonly scaling?: typeof UNIT;
}

const WILD: readonly Wild[] = [
  {
    file: 'mobilenet_v1_0.25_224_1_metadata_1.tflite',
    size: 224,
    real: (p) => p / 127.5 - 1,
    type: 'float32',
  },
  { file: 'mobilenet_v1_0.25_224_quant.tflite', size: 224, real: (p) => p, type: 'uint8' },
  { file: 'vww_96_float.tflite', size: 96, real: (p) => p / 255, type: 'float32', scaling: UNIT },
  { file: 'vww_96_int8.tflite', size: 96, real: (p) => p / 255, type: 'int8' },
  {
    file: 'pretrainedResnet_quant.tflite',
    size: 32,
    real: (p) => p,
    type: 'int8',
    scaling: BYTES,
  },
];

function softmax(values: Uint8Array | Float32Array, scale: number): number[] {
  const numbers = Array.from(values, (value) => value * scale);
  const most = Math.max(...numbers);
  const powers = numbers.map((value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}

/** Probabilities of the original, whatever it stores them as. */
function probabilities(values: Values): number[] {
  if (values instanceof Float32Array) return [...values];
  return Array.from(values, (value) => value / 256);
}

for (const { file, size, real, type, scaling = null } of WILD) {
  const { path, skip } = wildModel(file);
  t.test(`${file} answers as the original does`, { skip }, async (t) => {
    const bytes = readFileSync(path);
    const oracle = await openOracle(type === 'int8' ? withFloatEnds(bytes) : bytes);
    const form = type === 'float32' ? 'float32' : 'exact';
    const picture = { ...NO_PICTURE_OPTIONS, scaling };
    const { onnx, head } = convertTflite(bytes, { form, picture });
    if (head.kind !== 'classifier') throw new Error('no classifier');
    const model = await openOnnx(onnx);
    let difference = 0;
    for (const shown of pictures) {
      const pixels = networkInput(shown, size);
      const input = type === 'uint8' ? pixels : Float32Array.from(pixels, real);
      const expected = probabilities(await oracle.run(input, [1, size, size, 3]));
      const { data = new Uint8Array() } = (await model.run(pixels, size, size)).logits ?? {};
      const found = softmax(data, head.logits.scale);
      t.equal(
        found.indexOf(Math.max(...found)),
        expected.indexOf(Math.max(...expected)),
        shown.file,
      );
      difference = Math.max(difference, ...found.map((p, at) => Math.abs(p - (expected[at] ?? 9))));
    }
    t.ok(difference < 0.01, `scores differ by ${difference} at most`);
    oracle.close();
    await model.close();
  });
}

const float = wildModel('vww_96_float.tflite');
t.test(
  'a float network that says nothing of its picture is asked about',
  { skip: float.skip },
  (t) => {
    t.throws(() => readTflite(readFileSync(float.path)), {
      code: 'MND_MODEL_QUESTION',
      message: /number = scale × \(pixel − mean\).*--mean 0 --scale 0\.00392 for \[0, 1\]/,
    });
    t.end();
  },
);

const labelled = wildModel('mobilenet_v1_0.25_224_1_metadata_1.tflite');
t.test('metadata says the normalization and the labels', { skip: labelled.skip }, async (t) => {
  const bytes = readFileSync(labelled.path);
  const { normalization, labelFiles } = readTfliteMetadata(bytes);
  t.strictSame(normalization, { mean: [127.5], scale: [1 / 127.5] });
  const labels = await packedFile(bytes, labelFiles[0] ?? '');
  t.equal(
    Buffer.from(labels ?? [])
      .toString()
      .trim()
      .split('\n').length,
    1001,
  );
  t.equal(await packedFile(bytes, 'nothing.txt'), null);
  t.equal(await packedFile(bytes.subarray(0, 5000), 'labels.txt'), null);
});

const ssd = wildModel('coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite');
t.test('a detector names what the original names', { skip: ssd.skip }, async (t) => {
  const bytes = readFileSync(ssd.path);
  const { onnx, head } = convertTflite(bytes, { form: 'exact' });
  if (head.kind !== 'ssd') throw new Error('no detector');
  t.match(head.suppression, { maxDetections: 10, maxClassesPerBox: 1 });
  const oracle = await openOracle(withOutputShapes(bytes, 10));
  const model = await openOnnx(onnx);
  const anchors = createAnchors(head, 300, 300);
  const threshold = 0.5;
  let named = 0;
  let found = 0;
  let matched = 0;
  for (const shown of pictures) {
    const pixels = networkInput(shown, 300);
    const [boxes = [], classes = [], scores = []] = await oracle.runAll(pixels, [1, 300, 300, 3]);
    const outputs = await model.run(pixels, 300, 300);
    const values = (name: string) => outputs[name]?.data ?? new Uint8Array();
    const layers = head.layers.map((layer) => ({
      boxes: values(layer.boxes.name),
      scores: values(layer.scores.name),
    }));
    const objects = decodeDetections(layers, head, anchors, { threshold });
    found += objects.length;
    for (const [at, score] of [...scores].entries()) {
      if (score < threshold) continue;
      named += 1;
      // The original counts classes without the background.
      const same = objects.some(
        ({ index, score: own, box: [left, top] }) =>
          index === (classes[at] ?? 0) + 1 &&
          Math.abs(own - score) < 0.02 &&
          Math.abs(top - Math.max(0, boxes[4 * at] ?? 9)) < 0.03 &&
          Math.abs(left - Math.max(0, boxes[4 * at + 1] ?? 9)) < 0.03,
      );
      if (same) matched += 1;
    }
  }
  // Scores that the original stores alike it orders by chance, and the best suppresses the others.
  t.ok(named > 10 && matched >= 0.9 * named, `${matched} of ${named} objects`);
  t.ok(Math.abs(found - named) <= 0.1 * named, `${found} found`);
  oracle.close();
  await model.close();
});

t.test('the float32 form of a detector leaves ReLU6 to no range', { skip: ssd.skip }, async (t) => {
  const bytes = readFileSync(ssd.path);
  const scores: number[] = [];
  for (const form of ['exact', 'float32'] as const) {
    const { onnx, head } = convertTflite(bytes, { form });
    if (head.kind !== 'ssd') throw new Error('no detector');
    const model = await openOnnx(onnx);
    const anchors = createAnchors(head, 300, 300);
    for (const shown of pictures.slice(2, 5)) {
      const outputs = await model.run(networkInput(shown, 300), 300, 300);
      const values = (name: string) => outputs[name]?.data ?? new Uint8Array();
      const layers = head.layers.map((layer) => ({
        boxes: values(layer.boxes.name),
        scores: values(layer.scores.name),
      }));
      scores.push(decodeDetections(layers, head, anchors, { threshold: 0.1 })[0]?.score ?? 0);
    }
    await model.close();
  }
  for (const [at, score] of scores.slice(0, 3).entries()) {
    t.ok(Math.abs(score - (scores[at + 3] ?? 9)) < 0.1, `${scores[at + 3]} for ${score}`);
  }
});
