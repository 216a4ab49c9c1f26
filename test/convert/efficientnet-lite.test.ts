import t from 'tap';
import { convertTflite, readTflite } from '#mobilenetd/convert/convert.js';
import { NO_PICTURE_OPTIONS } from '#mobilenetd/convert/scaling.js';
import { expectedConvolutions } from '#mobilenetd/families/convolutions.js';
import { familyNamed, identify } from '#mobilenetd/families/families.js';
import { convolutionalSpec } from './build-mobilenet-v2.js';
import { buildTflite } from './build-tflite.js';
import { openOracle } from './litert.js';
import { randomPicture } from './random.js';
import { openOnnx } from './session.js';

const CLASSES = 10;

for (const [name, size] of [
  ['efficientnet_lite0', 64],
  ['efficientnet_lite2', 52],
] as const) {
  t.test(`${name} at ${size} px names what its original names`, async (t) => {
    const member = { alpha: null, size, classes: CLASSES };
    const layers = familyNamed(name)?.describe(member).layers ?? [];
    // The pool and the dense layer are not convolutions.
    const convolutions = expectedConvolutions(layers.slice(0, -2));
    const file = buildTflite(convolutionalSpec(convolutions, { size, classes: CLASSES }));
    const { graph } = readTflite(file, NO_PICTURE_OPTIONS);
    t.match(identify(graph), { family: name, alpha: null, size });
    const oracle = await openOracle(file);
    const { onnx, head } = convertTflite(file, { form: 'exact' });
    if (head.kind !== 'classifier') throw new Error('no classifier');
    const model = await openOnnx(onnx);
    let [first, apart] = [0, 0];
    for (let seed = 0; seed < 5; seed += 1) {
      const picture = randomPicture(size, seed);
      const expected = [...(await oracle.run(picture, [1, size, size, 3]))];
      const found = [...((await model.run(picture, size, size))[head.logits.name]?.data ?? [])];
      const best = expected.indexOf(Math.max(...expected));
      if (found[best] === Math.max(...found)) first += 1;
      apart = Math.max(apart, ...expected.map((value, at) => Math.abs(value - (found[at] ?? 999))));
    }
    t.equal(first, 5, 'the same first class on every picture');
    t.ok(apart <= 2, `${apart} of 255 steps at most`);
    oracle.close();
    await model.close();
  });
}
