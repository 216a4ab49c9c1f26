import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { convertNetwork, readTflite } from '#mobilenetd/convert/convert.js';
import { NO_PICTURE_OPTIONS, SIGNED_UNIT, UNIT } from '#mobilenetd/convert/scaling.js';
import { calibrateNetwork, measureCost } from '#mobilenetd/models/install/calibrate.js';
import { openNetwork } from '#mobilenetd/models/install/network.js';
import { asFloat } from '../../convert/as-float.js';
import { fomoModel } from '../../convert/build-fomo.js';
import { ssdModel } from '../../convert/build-ssd.js';
import { buildTflite } from '../../convert/build-tflite.js';
import { classifierSpec, encodeOnnx } from '../../convert/own-onnx/build-onnx.js';
import { randomPicture } from '../../convert/random.js';

const frames: readonly Frame[] = Array.from({ length: 12 }, (_, seed) => ({
  camera: 'test',
  sequence: seed + 1,
  capturedAt: 0,
  time: 0,
  width: 96,
  height: 64,
  format: 'rgb24',
  range: 'full',
  bytes: randomPicture(64, seed, 96),
}));

const CASES = [
  ['an SSD with its post-processing', buildTflite(asFloat(ssdModel().model)), SIGNED_UNIT, 'ssd'],
  [
    'a grid of points for a picture that is no square',
    buildTflite(asFloat(fomoModel({ height: 48, width: 80 }).model)),
    UNIT,
    'grid',
  ],
] as const;

for (const [name, file, scaling, kind] of CASES) {
  t.test(`${name}, of real numbers, becomes integers by pictures`, async (t) => {
    const network = readTflite(file, { ...NO_PICTURE_OPTIONS, scaling });
    t.equal(convertNetwork(network, { form: 'float32' }).head.kind, kind);
    const request = { frames, centralCrop: null };
    const calibration = await calibrateNetwork(network, request);
    const float = convertNetwork(network, { form: 'float32', calibration });
    for (const form of ['symmetric', 'reduced'] as const) {
      const integer = convertNetwork(network, { form, calibration });
      t.match(integer.head, { kind });
      const cost = await measureCost(float, integer, request);
      t.match(cost, { pictures: frames.length, compared: 'objects' });
      t.ok(cost.total > 0, `${cost.total} objects`);
      t.ok(cost.agreed >= 0.8 * cost.total, `${form}: ${cost.agreed} of ${cost.total}`);
      t.ok(cost.scoreChange < 0.05, `${form}: scores ${cost.scoreChange} apart`);
    }
  });
}

t.test('an ONNX classifier gets integer forms beside the file itself', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'own.onnx');
  const calibration = { frames, centralCrop: null };
  const picture = { ...NO_PICTURE_OPTIONS, scaling: SIGNED_UNIT };
  const files = { format: 'onnx', file } as const;
  const request = { files, forms: null, picture, folder, expected: {} };
  await writeFile(file, encodeOnnx(classifierSpec({ size: 32 })));
  const plain = await openNetwork(request);
  t.strictSame(plain.usualForms, ['float32']);
  const { usualForms, convert, calibrated } = await openNetwork({ ...request, calibration });
  t.strictSame(usualForms, ['symmetric', 'reduced', 'float32']);
  t.ok(calibrated);
  t.strictSame(convert('float32').onnx, plain.convert('float32').onnx, 'the file as it is');
  const cost = await measureCost(convert('float32'), convert('symmetric'), calibration);
  t.match(cost, { compared: 'pictures', total: frames.length });
  t.ok(cost.agreed >= 0.9 * cost.total && cost.scoreChange < 0.02, JSON.stringify(cost));
  await writeFile(file, encodeOnnx(classifierSpec({ size: 32, quantized: true })));
  await t.rejects(openNetwork({ ...request, calibration }), {
    code: 'MND_USAGE',
    message: /quantized already; leave --calibrate out/,
  });
});
