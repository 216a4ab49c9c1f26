import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { parseCalibration } from '#mobilenetd/convert/calibration.js';
import { convertNetwork, readTflite } from '#mobilenetd/convert/convert.js';
import { openOracle } from '../convert/litert.js';
import { randomPicture } from '../convert/random.js';
import { openOnnx } from '../convert/session.js';
import { detect, picturePixels } from './run-detector.js';

const FILE = '.cache/ssd_mobilenet_v2_oidv4/model.tflite';
const CALIBRATION = 'models/ssd_mobilenet_v2_oidv4.calibration.json';
const LABELS = readFileSync('models/labels/openimages_24.txt', 'utf8').trim().split('\n');
const PICTURES = process.env.MOBILENETD_TEST_IMAGES ?? '../shared/images';
const SIZE = 300;

const skip = existsSync(FILE) ? false : 'fetch it with: node scripts/fetch-detector.mjs';

const calibrationFile = () => parseCalibration(JSON.parse(readFileSync(CALIBRATION, 'utf8')));

t.test('the float form has the numbers of TensorFlow Lite', { skip }, async (t) => {
  const file = readFileSync(FILE);
  const { onnx, head, input } = convertNetwork(readTflite(file), { form: 'float32' });
  t.strictSame(input.sizes, [300, 268, 236, 204, 172, 140]);
  if (head.kind !== 'ssd') throw new Error('no detector');
  t.equal(head.classes, LABELS.length);
  const picture = randomPicture(SIZE, 1);
  const oracle = await openOracle(file);
  const real = Float32Array.from(picture, (value) => value / 127.5 - 1);
  const expected = await oracle.run(real, [1, SIZE, SIZE, 3]);
  oracle.close();
  const model = await openOnnx(onnx);
  const outputs = await model.run(picture, SIZE, SIZE);
  await model.close();
  const boxes = head.layers.flatMap(({ boxes }) => Array.from(outputs[boxes.name]?.data ?? []));
  t.equal(boxes.length, 1917 * 4);
  const errors = boxes.map((value, index) => Math.abs(value - (expected[index] ?? 99)));
  const spread = Math.max(...expected.map(Math.abs));
  t.ok(spread > 1, 'the boxes vary');
  t.ok(Math.max(...errors) < 1e-3 * spread, `${Math.max(...errors)} of ${spread}`);
});

const pictures = skip || (existsSync(PICTURES) ? false : 'no test pictures');

t.test('the int8 form sees cats and dogs at every size', { skip: pictures }, async (t) => {
  const network = readTflite(readFileSync(FILE));
  const calibration = calibrationFile();
  const { onnx, head, input } = convertNetwork(network, { form: 'symmetric', calibration });
  if (head.kind !== 'ssd') throw new Error('no detector');
  const model = await openOnnx(onnx);
  for (const size of input.sizes) {
    for (const [name, label] of [
      ['n02123597_Siamese_cat', 'cat'],
      ['n02106550_Rottweiler', 'dog'],
    ] as const) {
      const pixels = await picturePixels(readFileSync(`${PICTURES}/${name}.JPEG`), size);
      const objects = await detect(model, head, pixels, { size, threshold: 0.4 });
      const found = objects.map(({ index }) => LABELS[index] ?? '');
      t.ok(found.includes(label), `${size} px: ${label} among ${found.join(', ')}`);
    }
  }
  await model.close();
});
