import { readFileSync } from 'node:fs';
import t from 'tap';
import { isFloat, readTflite } from '#mobilenetd/convert/convert.js';
import { NO_PICTURE_OPTIONS, SIGNED_UNIT, UNIT } from '#mobilenetd/convert/scaling.js';
import { answers, pictures, testCalibrated } from './calibrated.js';
import { withRangedWeights } from './dynamic-range.js';
import { openOracle } from './litert.js';
import { networkInput, wildModel } from './mirror.js';

// A larger one is in test/slow/networks.test.ts.
testCalibrated(t, {
  file: 'vww_96_float.tflite',
  size: 96,
  scaling: UNIT,
  least: 0.95,
  apart: 0.03,
});

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
