import { kerasModel } from './build-keras.js';
import { mobilenetV1Spec } from './build-mobilenet.js';
import { smallSpec } from './build-small.js';
import { ssdModel } from './build-ssd.js';
import { buildTflite } from './build-tflite.js';
import { fuzz } from './fuzz.js';

/** `node .build/test/convert/fuzz-tflite.js [COUNT] [SEED]`: converts damaged files, prints JSON. */
const count = Number(process.argv[2] ?? 10_000);
const seed = Number(process.argv[3] ?? 1);

const files = [
  ...[1, 2, 3, 4].map((variant) => buildTflite(smallSpec(variant))),
  buildTflite(kerasModel({ wrapping: 'uint8', pool: 'mean' }).model),
  buildTflite(kerasModel({ wrapping: 'float32', pool: 'average' }).model),
  buildTflite(ssdModel().model),
  buildTflite(mobilenetV1Spec({ alpha: 0.1, size: 32, classes: 4 })),
];
const { refused, failures, ...rest } = await fuzz(files, count, seed);
console.log(
  JSON.stringify({ count, seed, ...rest, refused: Object.fromEntries(refused), failures }),
);
process.exitCode = failures.length === 0 && rest.slowest < 1000 ? 0 : 1;
