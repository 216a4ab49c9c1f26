import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { convertNetwork, readTflite } from '#mobilenetd/convert/convert.js';
import { NO_PICTURE_OPTIONS, SIGNED_UNIT, UNIT } from '#mobilenetd/convert/scaling.js';
import { calibrateNetwork, measureCost } from '#mobilenetd/models/install/calibrate.js';
import { asFloat } from '../../convert/as-float.js';
import { fomoModel } from '../../convert/build-fomo.js';
import { ssdModel } from '../../convert/build-ssd.js';
import { buildTflite } from '../../convert/build-tflite.js';
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
