import t from 'tap';
import { convertTflite, readTflite } from '#mobilenetd/convert/convert.js';
import { divisibleChannels } from '#mobilenetd/families/convolutions.js';
import { identify } from '#mobilenetd/families/families.js';
import { MOBILENET_V2 } from '#mobilenetd/families/mobilenet-v2.js';
import { mobilenetV1Spec } from '../convert/build-mobilenet.js';
import { mobilenetV2Spec } from '../convert/build-mobilenet-v2.js';
import { buildTflite } from '../convert/build-tflite.js';

/** The page of the published checkpoints: α, pixels, millions of multiply-adds. */
const PUBLISHED = [
  [1.4, 224, 582],
  [1.3, 224, 509],
  [1, 224, 300],
  [1, 192, 221],
  [1, 160, 154],
  [1, 128, 99],
  [1, 96, 56],
  [0.75, 224, 209],
  [0.75, 128, 69],
  [0.5, 224, 97],
  [0.5, 96, 18],
  [0.35, 224, 59],
  [0.35, 96, 11],
] as const;

t.test('multiply-adds are the published ones', (t) => {
  for (const [alpha, size, millions] of PUBLISHED) {
    const { totals } = MOBILENET_V2.describe({ alpha, size, classes: 1000 });
    const found = totals.multAdds / 1e6;
    t.ok(Math.abs(found - millions) < 1.1, `${alpha} at ${size}: ${found}`);
  }
  t.end();
});

t.test('channels are multiples of 8, not far below the exact number', (t) => {
  t.equal(divisibleChannels(32, 0.35), 16);
  t.equal(divisibleChannels(24, 0.5), 16);
  t.equal(divisibleChannels(16, 0.1), 8);
  t.equal(divisibleChannels(1280, 1.4), 1792);
  t.end();
});

t.test('a network is recognised at any α and size, and only as what it is', (t) => {
  for (const [alpha, size] of [
    [0.35, 96],
    [0.5, 64],
    [0.75, 32],
    [1.4, 32],
  ] as const) {
    const file = buildTflite(mobilenetV2Spec({ alpha, size, classes: 3 }));
    const { graph } = readTflite(file);
    t.strictSame(identify(graph), { family: 'mobilenet_v2', alpha, size, classes: 3 });
    t.ok((convertTflite(file, { form: 'exact' }).report.multAdds ?? 0) > 0);
  }
  const other = buildTflite(mobilenetV1Spec({ alpha: 0.5, size: 64, classes: 3 }));
  const { graph } = readTflite(other);
  t.equal(MOBILENET_V2.recognise(graph), null);
  t.match(identify(graph), { family: 'mobilenet_v1', alpha: 0.5, size: 64 });
  t.end();
});
