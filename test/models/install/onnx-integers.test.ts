import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { readOwnOnnx } from '#mobilenetd/convert/own-onnx/convert.js';
import { parseOnnx } from '#mobilenetd/convert/own-onnx/parse.js';
import { NO_PICTURE_OPTIONS, SIGNED_UNIT, UNIT } from '#mobilenetd/convert/scaling.js';
import { measureCost } from '#mobilenetd/models/install/calibrate.js';
import { convertFiles } from '#mobilenetd/models/install/conversion.js';
import { measureBoxes } from '#mobilenetd/models/install/measure-boxes.js';
import { openNetwork } from '#mobilenetd/models/install/network.js';
import { calibrateOnnx } from '#mobilenetd/models/install/onnx-integers.js';
import { detectorSpec } from '../../convert/own-onnx/build-detectors.js';
import { classifierSpec, encodeOnnx } from '../../convert/own-onnx/build-onnx.js';
import {
  CLASSES,
  SIZE,
  type Structure,
  squeezed,
  structureFile,
} from '../../convert/own-onnx/build-structures.js';
import { randomPicture } from '../../convert/random.js';
import { openOnnx } from '../../convert/session.js';

const frame = (seed: number): Frame => ({
  camera: 'test',
  sequence: seed + 1,
  capturedAt: 0,
  time: 0,
  width: SIZE,
  height: SIZE,
  format: 'rgb24',
  range: 'full',
  bytes: randomPicture(SIZE, seed),
});
const frames = Array.from({ length: 10 }, (_, seed) => frame(seed));
const others = Array.from({ length: 6 }, (_, seed) => frame(100 + seed));
const request = { frames, centralCrop: null };

/** Kind, operator set, scaling, least share of its convolutions that become integers. */
const STRUCTURES: readonly (readonly [Structure, number, least: number])[] = [
  ['yolov8', 17, 0.75],
  ['yolox', 11, 0.7],
  ['nanodet', 11, 0.8],
  ['picodet', 10, 0.65],
  ['ssdlite', 13, 0.7],
];

for (const [structure, opset, least] of STRUCTURES) {
  t.test(`a ${structure} of operator set ${opset} becomes integers by pictures`, async (t) => {
    const file = structureFile(structure, 3, opset);
    const read = readOwnOnnx(file, { ...NO_PICTURE_OPTIONS, scaling: UNIT });
    if (read.kind !== 'detector') throw new Error('no detector');
    const whole = { ...read.model, head: await measureBoxes(read.model, CLASSES) };
    const convert = await calibrateOnnx(whole, request);
    const count = (onnx: Uint8Array, kind: string) =>
      parseOnnx(onnx).nodes.filter(({ opType }) => opType === kind).length;
    const float = await openOnnx(whole.onnx, 'float32');
    const expected = await answers(float);
    for (const form of ['symmetric', 'reduced'] as const) {
      const integer = convert(form);
      t.match(integer, { form, input: whole.input, head: whole.head });
      const share = count(integer.onnx, 'QLinearConv') / count(whole.onnx, 'Conv');
      t.ok(share >= least, `${form}: ${share.toFixed(2)} of the convolutions`);
      t.ok(integer.onnx.length < 0.75 * whole.onnx.length, 'smaller');
      const model = await openOnnx(integer.onnx, form);
      const found = await answers(model);
      for (const { name } of whole.head.layout.outputs) {
        const [signal, noise] = power(name, expected, found);
        const ratio = Math.sqrt(noise / signal);
        t.ok(ratio < 0.25, `${form} ${name}: ${ratio.toFixed(3)} of its deviation`);
        t.ok(ratio > 1e-4, 'these are not the float network’s own');
      }
      await model.close();
      const cost = await measureCost(whole, integer, { frames: others, centralCrop: null });
      t.comment(JSON.stringify(cost));
      t.ok(cost.agreed >= 0.75 * cost.total, `${form}: ${cost.agreed} of ${cost.total}`);
    }
    await float.close();
  });
}

type Opened = Awaited<ReturnType<typeof openOnnx>>;
type Answer = Awaited<ReturnType<Opened['run']>>;

/** What a network says of the other pictures. */
async function answers(network: Opened): Promise<Answer[]> {
  const all: Answer[] = [];
  for (const { bytes } of others) all.push(await network.run(bytes, SIZE, SIZE));
  return all;
}

/** Sums of squares of an output about its mean, and of what integers change of it. */
function power(name: string, floats: readonly Answer[], integers: readonly Answer[]) {
  let [sum, squares, count, noise] = [0, 0, 0, 0];
  for (const [picture, answer] of floats.entries()) {
    const expected = answer[name]?.data ?? [];
    const found = integers[picture]?.[name]?.data ?? [];
    for (let at = 0; at < expected.length; at += 1) {
      const value = expected[at] ?? Number.NaN;
      sum += value;
      squares += value * value;
      noise += (value - (found[at] ?? Number.NaN)) ** 2;
      count += 1;
    }
  }
  return [squares - (sum * sum) / count, noise] as const;
}

t.test('models add makes three forms of an ONNX detector, and says what they cost', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'own.onnx');
  const picture = { ...NO_PICTURE_OPTIONS, scaling: UNIT };
  const files = { format: 'onnx', file } as const;
  const asked = { files, forms: null, picture, folder, expected: {}, labelCount: CLASSES };
  await writeFile(file, structureFile('nanodet'));
  const plain = await openNetwork(asked);
  t.strictSame(plain.usualForms, ['float32']);
  const network = await openNetwork({ ...asked, calibration: request });
  t.strictSame(network.usualForms, ['symmetric', 'reduced', 'float32']);
  t.ok(network.calibrated);
  t.strictSame(network.convert('float32').onnx, plain.convert('float32').onnx, 'the file as it is');
  const conversion = await convertFiles({ ...asked, calibration: request });
  t.match(conversion.cost, { pictures: frames.length, compared: 'objects' });
  t.strictSame(Object.keys(conversion.forms), ['symmetric', 'reduced', 'float32']);
});

t.test('an ONNX classifier of any operators becomes integers by its convolutions', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'own.onnx');
  const picture = { ...NO_PICTURE_OPTIONS, scaling: SIGNED_UNIT };
  const files = { format: 'onnx', file } as const;
  await writeFile(file, squeezed());
  const asked = { files, forms: null, picture, folder, expected: {}, calibration: request };
  const network = await openNetwork(asked);
  const [float, integer] = [network.convert('float32'), network.convert('symmetric')];
  t.ok(parseOnnx(integer.onnx).nodes.some(({ opType }) => opType === 'QLinearConv'));
  const cost = await measureCost(float, integer, { frames: others, centralCrop: null });
  t.ok(cost.agreed >= 5 && cost.scoreChange < 0.03, JSON.stringify(cost));
});

t.test('what cannot become integers is refused, with what to do', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'own.onnx');
  const picture = { ...NO_PICTURE_OPTIONS, scaling: UNIT };
  const files = { format: 'onnx', file } as const;
  const common = { files, forms: null, picture, folder, expected: {}, labelCount: CLASSES };
  const refused = async (bytes: Uint8Array, message: RegExp) => {
    await writeFile(file, bytes);
    await t.rejects(openNetwork({ ...common, calibration: request }), { message });
  };
  await refused(structureFile('ssdlite', 1, 9), /found operator set 9; leave --calibrate out/);
  await refused(
    encodeOnnx(detectorSpec('yolov8', { height: 96, classes: CLASSES })),
    /no convolution of that kind; leave/,
  );
  await refused(
    encodeOnnx(classifierSpec({ size: 32, quantized: true })),
    /quantized already; leave --calibrate out/,
  );
  await refused(structureFile('nanodet', 1, 11, 'float16'), /data type 10|halves|float16/);
});
