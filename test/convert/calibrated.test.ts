import { readFileSync } from 'node:fs';
import t from 'tap';
import { convertNetwork, isFloat, readTflite } from '#mobilenetd/convert/convert.js';
import { NO_PICTURE_OPTIONS, SIGNED_UNIT, UNIT } from '#mobilenetd/convert/scaling.js';
import { measureCalibration } from '#mobilenetd/inference/calibrate.js';
import type { NumericForm } from '#mobilenetd/models/variant.js';
import { topClasses } from '#mobilenetd/vision/topk.js';
import { withRangedWeights } from './dynamic-range.js';
import { openOracle } from './litert.js';
import { networkInput, testPictures, wildModel } from './mirror.js';
import { openOnnx } from './session.js';

const pictures = await testPictures();

/** The first class and its score on each picture, in one form. */
async function answers(
  network: ReturnType<typeof readTflite>,
  options: Parameters<typeof convertNetwork>[1],
  shown: readonly Uint8Array[],
  size: number,
) {
  const { onnx, head, form } = convertNetwork(network, options);
  if (head.kind !== 'classifier') throw new Error('no classifier');
  const model = await openOnnx(onnx, form);
  const found = [];
  for (const pixels of shown) {
    const { data = new Uint8Array() } = (await model.run(pixels, size, size)).logits ?? {};
    const best = topClasses(data, head.logits, head.classes, head.scores);
    found.push({
      best: best[0]?.index,
      scores: new Map(best.map(({ index, score }) => [index, score])),
    });
  }
  await model.close();
  return found;
}

const CASES = [
  { file: 'vww_96_float.tflite', size: 96, scaling: UNIT, least: 0.95, apart: 0.03 },
  {
    file: 'mobilenet_v1_0.25_224_1_metadata_1.tflite',
    size: 224,
    scaling: null,
    least: 0.85,
    apart: 0.04,
  },
] as const;

for (const { file, size, scaling, least, apart } of CASES) {
  const { path, skip } = wildModel(file);
  t.test(`${file} in integers, calibrated by pictures`, { skip }, async (t) => {
    const network = readTflite(readFileSync(path), { ...NO_PICTURE_OPTIONS, scaling });
    const shown = pictures.map((picture) => networkInput(picture, size));
    const calibration = await measureCalibration(
      network.graph,
      shown
        .filter((_, index) => index % 2 === 0)
        .map((pixels) => ({ height: size, width: size, pixels })),
    );
    const float = await answers(network, { form: 'float32' }, shown, size);
    for (const form of ['symmetric', 'reduced'] satisfies NumericForm[]) {
      const integer = await answers(network, { form, calibration }, shown, size);
      const agreed = float.filter(({ best }, at) => best === integer[at]?.best).length;
      const change = float.reduce((sum, { best = 0, scores }, at) => {
        return sum + Math.abs((scores.get(best) ?? 0) - (integer[at]?.scores.get(best) ?? 0));
      }, 0);
      t.comment(`${form}: ${agreed} of ${float.length}, ${change / float.length} apart`);
      t.ok(agreed >= least * float.length, `${form} agrees on ${agreed} of ${float.length}`);
      t.ok(change / float.length < apart, `${form}: scores ${change / float.length} apart`);
    }
    t.throws(() => convertNetwork(network, { form: 'symmetric' }), {
      code: 'MND_MODEL_MISMATCH',
      message: /pictures to calibrate with.*--calibrate FOLDER/,
    });
  });
}

const dense = wildModel('mobilenet_v1_0.25_224_1_metadata_1.tflite');
t.test('dynamic-range weights become real numbers', { skip: dense.skip }, async (t) => {
  const size = 224;
  const file = withRangedWeights(readFileSync(dense.path));
  t.ok(file.length < 0.4 * readFileSync(dense.path).length, 'a quarter of the size');
  const network = readTflite(file, { ...NO_PICTURE_OPTIONS, scaling: SIGNED_UNIT });
  t.ok(isFloat(network.graph));
  const shown = pictures.slice(0, 10).map((picture) => networkInput(picture, size));
  const found = await answers(network, { form: 'float32' }, shown, size);
  const oracle = await openOracle(file);
  let same = 0;
  for (const [at, pixels] of shown.entries()) {
    const input = Float32Array.from(pixels, (pixel) => pixel / 127.5 - 1);
    const expected = await oracle.run(input, [1, size, size, 3]);
    const best = expected.indexOf(Math.max(...expected));
    if (found[at]?.best === best) same += 1;
    t.ok(Math.abs((found[at]?.scores.get(best) ?? 9) - (expected[best] ?? 0)) < 0.1);
  }
  // The original quantizes what it computes with as it goes, by each picture's own range.
  t.ok(same >= 9, `${same} of 10`);
  oracle.close();
});
