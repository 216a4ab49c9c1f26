import t from 'tap';
import { kerasModel } from './build-keras.js';
import { mobilenetV1Spec } from './build-mobilenet.js';
import { smallSpec } from './build-small.js';
import { ssdModel } from './build-ssd.js';
import { buildTflite } from './build-tflite.js';
import { fuzz } from './fuzz.js';

// Run `node .build/test/convert/fuzz-tflite.js 100000` for more.
t.test('damaged files end in a coded error or a model that runs', async (t) => {
  const files = [
    buildTflite(smallSpec()),
    buildTflite(kerasModel({ wrapping: 'float32', pool: 'mean' }).model),
    buildTflite(ssdModel().model),
    buildTflite(mobilenetV1Spec({ alpha: 0.1, size: 32, classes: 4 })),
  ];
  const { refused, converted, failures, excess } = await fuzz(files, 2000, 20170417);
  t.strictSame(failures, []);
  t.ok(converted > 100, `${converted} still converted`);
  for (const code of ['TRUNCATED', 'INVALID', 'OPERATOR', 'SHAPE', 'TOO_LARGE']) {
    t.ok(refused.get(`MND_MODEL_${code}`), `MND_MODEL_${code} came up`);
  }
  t.ok(excess < 16 * 2 ** 20, `${excess} bytes beyond four times the file`);
});
