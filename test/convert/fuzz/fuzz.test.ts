import t from 'tap';
import { ALLOWANCE, fuzz } from './run.js';
import { TARGETS } from './targets.js';

// `npm run fuzz` reads 100 000 damaged files; this is a small part of them.
const COUNT = 600;
/** One of these costs as much as many others. */
const FEWER: Readonly<Record<string, number>> = { 'onnx-integers': 200 };
const SEED = 20170417;

const CODES: Readonly<Record<string, readonly string[]>> = {
  tflite: ['MND_MODEL_TRUNCATED', 'MND_MODEL_INVALID', 'MND_MODEL_OPERATOR', 'MND_MODEL_SHAPE'],
  'tfjs-classifier': ['MND_MODEL_INVALID', 'MND_MODEL_OPERATOR', 'MND_MODEL_SHAPE'],
  tfjs: ['MND_MODEL_INVALID', 'MND_MODEL_TRUNCATED', 'MND_MODEL_OPERATOR', 'MND_MODEL_SHAPE'],
  onnx: ['MND_MODEL_INVALID', 'MND_MODEL_TRUNCATED', 'MND_MODEL_OPERATOR', 'MND_MODEL_SHAPE'],
  'onnx-integers': ['MND_MODEL_INVALID', 'MND_MODEL_TRUNCATED', 'MND_MODEL_OPERATOR'],
  labels: ['MND_LABELS_INVALID'],
};

for (const create of TARGETS) {
  const target = await create();
  t.test(`damaged ${target.name} files end in a coded error or work`, async (t) => {
    const result = await fuzz(target, FEWER[target.name] ?? COUNT, SEED);
    t.comment(JSON.stringify(result));
    t.strictSame(result.failures, []);
    const least = target.cost === undefined ? 20 : 5;
    t.ok(result.read > least, `${result.read} were read in spite of the damage`);
    if (target.name !== 'labels') t.ok(result.run > least / 4, `${result.run} models were run`);
    for (const code of CODES[target.name] ?? []) t.ok(result.refused[code], `${code} came up`);
    // Without a collection before each reading this is coarse.
    t.ok(result.excessBytes < 8 * ALLOWANCE, `${result.excessBytes} bytes beyond`);
  });
}
