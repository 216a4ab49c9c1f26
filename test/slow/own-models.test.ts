import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { runInProcess } from '../cli/in-process.js';
import { edgeImpulseModel } from '../convert/build-edge-impulse.js';
import { fomoModel } from '../convert/build-fomo.js';
import { kerasModel } from '../convert/build-keras.js';
import { mobilenetV1Spec } from '../convert/build-mobilenet.js';
import { mobilenetV2Spec } from '../convert/build-mobilenet-v2.js';
import { buildTflite } from '../convert/build-tflite.js';
import { detectorSpec } from '../convert/own-onnx/build-detectors.js';
import { BIAS, classifierSpec, encodeOnnx, WEIGHTS } from '../convert/own-onnx/build-onnx.js';
import { randomPicture } from '../convert/random.js';
import { teachableModel } from '../convert/tfjs/build-layers.js';
import { buildZip } from '../models/archives.js';

const root = mkdtempSync(join(tmpdir(), 'cli-own-models-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));
// Each model is converted and run by processes of its own, which beside other work take long.
t.setTimeout(0);

const ENV = { PATH: process.env.PATH, HOME: root, MOBILENETD_STATE: join(root, 'state') };

const COMMANDS = [
  { name: 'models', summary: '', load: () => import('#mobilenetd/cli/models.js') },
  { name: 'classify', summary: '', load: () => import('#mobilenetd/cli/classify.js') },
  { name: 'detect', summary: '', load: () => import('#mobilenetd/cli/detect.js') },
];

const run = (...args: readonly string[]) => runInProcess(COMMANDS, args, ENV);

function put(name: string, content: Uint8Array | string): string {
  const file = join(root, name);
  writeFileSync(file, content);
  return file;
}

const labelsOf = (count: number, name = `${count}.txt`) =>
  put(name, Array.from({ length: count }, (_, index) => `label ${index}\n`).join(''));

const orange = join(root, 'orange.png');
const COLOUR = [240, 140, 20] as const;
await sharp({
  create: { width: 32, height: 32, channels: 3, background: { r: 240, g: 140, b: 20 } },
}).toFile(orange);

t.test('an ONNX classifier', async (t) => {
  const file = put('flowers.onnx', encodeOnnx(classifierSpec({ size: 32 })));
  const labels = put('flowers.txt', 'rose\ntulip\ndaisy\nnone\n');
  const scaling = ['--mean', '123.675,116.28,103.53', '--scale', '0.01712,0.01751,0.01743'];
  const added = await run('models', 'add', file, '--labels', labels, ...scaling, '--json');
  t.equal(added.status, 0, added.stderr);
  t.match(added.json()[0], { name: 'flowers', task: 'classify', forms: [{ form: 'float32' }] });

  const [mean, scale] = [
    [123.675, 116.28, 103.53],
    [0.01712, 0.01751, 0.01743],
  ];
  const real = COLOUR.map((pixel, at) => (pixel - (mean?.[at] ?? 0)) * (scale?.[at] ?? 0));
  const logits = WEIGHTS.map((row, index) =>
    row.reduce<number>((sum, weight, at) => sum + weight * (real[at] ?? 0), BIAS[index] ?? 0),
  );
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  const best = logits.indexOf(Math.max(...logits));
  const seen = await run('classify', orange, '--model', 'flowers', '--top', '4', '--json');
  const [first] = (seen.json()[0] as { labels: { index: number; label: string; score: number }[] })
    .labels;
  t.match(first, { index: best, label: ['rose', 'tulip', 'daisy', 'none'][best] });
  const expected = Math.exp(logits[best] ?? 0) / total;
  t.ok(Math.abs((first?.score ?? 0) - expected) < 1e-3, `${first?.score} for ${expected}`);
  t.match(seen.json()[0], { alpha: null }, 'a network of no family has no α');
  const listed = await run('models', 'list', '--installed', '--json');
  t.match(listed.json()[0], { name: 'flowers', family: 'custom', alpha: null });
});

t.test("Teachable Machine's uint8 export with its numbered labels", async (t) => {
  const { model } = kerasModel({ wrapping: 'uint8', pool: 'mean', hidden: true, size: 32 });
  const file = put('model.tflite', buildTflite(model));
  const labels = put('tm.txt', '0 cat\n1 dog\n2 bird\n3 fox\n4 Class 5\n5 none\n');
  const added = await run(
    'models',
    'add',
    file,
    '--labels',
    labels,
    '--name',
    'pets',
    '--form',
    'exact',
  );
  t.equal(added.status, 0, added.stderr);
  const seen = await run('classify', orange, '--model', 'pets', '--top', '6', '--json');
  const found = (seen.json()[0] as { labels: { label: string }[] }).labels.map((one) => one.label);
  t.strictSame(found.sort(), ['Class 5', 'bird', 'cat', 'dog', 'fox', 'none']);
});

t.test("Edge Impulse's grey int8 export", async (t) => {
  const file = put('ei.tflite', buildTflite(edgeImpulseModel(32, 1).model));
  const added = await run('models', 'add', file, '--labels', labelsOf(3), '--json');
  t.equal(added.status, 0, added.stderr);
  t.match(added.json()[0], { name: 'ei', forms: [{ form: 'exact' }, { form: 'symmetric' }] });
  const seen = await run('classify', orange, '--model', 'ei', '--top', '3', '--json');
  t.equal((seen.json()[0] as { labels: unknown[] }).labels.length, 3);
});

/** An array of C, as xxd -i writes it. */
const inC = (name: string, bytes: Uint8Array) =>
  `const unsigned char ${name}[] = {${[...bytes].map((byte) => `0x${byte.toString(16)}`).join(', ')}};`;

t.test("Edge Impulse's C++ library as it is downloaded: FOMO, a grid of objects", async (t) => {
  const { model } = fomoModel({ height: 96, classes: 2 });
  const member = (path: string, text: string) => ({ path, data: Buffer.from(text) });
  const library = buildZip([
    member('edge-impulse-sdk/classifier/ei_run_classifier.h', ''),
    member('model-parameters/model_metadata.h', '#define EI_CLASSIFIER_INPUT_WIDTH 96'),
    member(
      'model-parameters/model_variables.h',
      'const char* ei_classifier_inferencing_categories[] = { "bolt", "nut" };',
    ),
    member('tflite-model/tflite_learn_7.cpp', inC('tflite_learn_7', buildTflite(model))),
  ]);
  const added = await run('models', 'add', put('parts-v3.zip', library), '--json');
  t.equal(added.status, 0, added.stderr);
  t.match(added.json()[0], { name: 'parts-v3', task: 'detect', forms: [{ form: 'exact' }] });
  const noise = join(root, 'noise.png');
  const raw = { width: 96, height: 96, channels: 3 } as const;
  await sharp(randomPicture(96, 1), { raw }).toFile(noise);
  const seen = await run('detect', noise, '--model', 'parts-v3', '--threshold', '0.5', '--json');
  t.equal(seen.status, 0, seen.stderr);
  const { objects } = seen.json()[0] as { objects: { label: string; point: number[] }[] };
  t.ok(objects.length > 0);
  for (const object of objects) {
    t.match(object, { box: null, point: [Number, Number] });
    t.ok(['bolt', 'nut'].includes(object.label), object.label);
  }
  const told = await run('detect', noise, '--model', 'parts-v3');
  t.match(told.stdout, /(bolt|nut) +at \d+, \d+/);
});

t.test("Teachable Machine's web export, as a zip and as a folder", async (t) => {
  const { document, shards } = await teachableModel();
  const [weights = new Uint8Array()] = shards;
  const files = {
    'model.json': Buffer.from(JSON.stringify(document)),
    'weights.bin': Buffer.from(weights),
    'metadata.json': Buffer.from(
      '{"tfjsVersion":"1.3.1","tmVersion":"2.4.5","packageName":"@teachablemachine/image","labels":["left","right","none"]}',
    ),
  };
  const zip = buildZip(Object.entries(files).map(([path, data]) => ({ path, data })));
  const added = await run('models', 'add', put('gestures.zip', zip), '--json');
  t.equal(added.status, 0, added.stderr);
  t.match(added.json()[0], { name: 'gestures', task: 'classify', forms: [{ form: 'float32' }] });
  const folder = join(root, 'export');
  mkdirSync(folder);
  for (const [name, data] of Object.entries(files)) writeFileSync(join(folder, name), data);
  const model = join(folder, 'model.json');
  const calibrated = await run('models', 'add', model, '--name', 'hands', '--calibrate', '--json');
  t.equal(calibrated.status, 0, calibrated.stderr);
  t.match(calibrated.json()[0], { forms: [{ form: 'symmetric' }, { form: 'reduced' }, {}] });
  t.match(calibrated.json()[1], { calibration: { compared: 'pictures' } });
  const seen = await run('classify', orange, '--model', 'gestures', '--top', '3', '--json');
  const { labels } = seen.json()[0] as { labels: { label: string }[] };
  t.strictSame(labels.map(({ label }) => label).sort(), ['left', 'none', 'right']);
});

t.test('an ONNX detector with its labels in the file', async (t) => {
  const metadata = {
    author: 'Ultralytics',
    task: 'detect',
    names: "{0: 'person', 1: 'cat', 2: 'dog'}",
  };
  const file = put('yolo.onnx', encodeOnnx(detectorSpec('yolov8', { height: 96, metadata })));
  const added = await run('models', 'add', file, '--json');
  t.equal(added.status, 0, added.stderr);
  t.match(added.json()[0], { name: 'yolo', task: 'detect', forms: [{ form: 'float32' }] });
  const seen = await run('detect', orange, '--model', 'yolo', '--threshold', '0.05', '--json');
  t.equal(seen.status, 0, seen.stderr);
  const { objects } = seen.json()[0] as { objects: { label: string; box: number[] }[] };
  t.ok(objects.length > 0);
  t.ok(
    objects.every(({ label, box }) => ['person', 'cat', 'dog'].includes(label) && box.length === 4),
  );
  const plain = put('plain.onnx', encodeOnnx(detectorSpec('yolov8', { height: 96 })));
  const asked = await run('models', 'add', plain, '--mean', '0', '--scale', '0.00392');
  t.match(
    asked.stderr,
    /MND_MODEL_QUESTION.*--labels.*detector.s classes, for the file brings none/,
  );
});

t.test('a picture that is no square', async (t) => {
  const { model } = fomoModel({ height: 48, width: 80 });
  const labels = put('parts.txt', 'bolt\nnut\n');
  const file = put('wide.tflite', buildTflite(model));
  const added = await run('models', 'add', file, '--labels', labels, '--json');
  t.equal(added.status, 0, added.stderr);
  const seen = await run('detect', orange, '--model', 'wide', '--threshold', '0.01', '--json');
  t.equal(seen.status, 0, seen.stderr);
  t.match(seen.json()[0], { model: 'wide', size: 80 });
});

t.test('a name that says α and size must be true', async (t) => {
  const cases = [
    ['mobilenet_v1_0.5_160_quant.tflite', mobilenetV1Spec, { alpha: 0.25, size: 160 }, 'V1'],
    ['mobilenet_v1_0.5_160.tflite', mobilenetV1Spec, { alpha: 0.5, size: 128 }, 'V1'],
    ['mobilenet_v2_0.5_96.tflite', mobilenetV2Spec, { alpha: 0.35, size: 96 }, 'V2'],
    ['mobilenet_v2_0.35_64.tflite', mobilenetV2Spec, { alpha: 0.35, size: 32 }, 'V2'],
    ['mobilenet_v2_0.25_64.tflite', mobilenetV1Spec, { alpha: 0.25, size: 64 }, 'V1'],
  ] as const;
  for (const [name, spec, network, version] of cases) {
    const file = put(name, buildTflite(spec({ ...network, classes: 5 })));
    const result = await run('models', 'add', file, '--labels', labelsOf(5), '--form', 'exact');
    t.equal(result.status, 1, name);
    const found = new RegExp(
      `MND_MODEL_MISMATCH.*found MobileNet${version}, alpha ${network.alpha}, ${network.size} px`,
    );
    t.match(result.stderr, found, name);
  }
  const stranger = put('mobilenet_v1_1.0_32.tflite', buildTflite(edgeImpulseModel(32, 3).model));
  const refused = await run('models', 'add', stranger, '--labels', labelsOf(3));
  t.match(refused.stderr, /MND_MODEL_MISMATCH.*found another network/);
  for (const [name, spec, network] of [
    ['mobilenet_v1_0.25_32', mobilenetV1Spec, { alpha: 0.25, size: 32 }],
    ['mobilenet_v2_0.35_32', mobilenetV2Spec, { alpha: 0.35, size: 32 }],
  ] as const) {
    const file = put(`${name}.tflite`, buildTflite(spec({ ...network, classes: 5 })));
    const args = ['--labels', labelsOf(5), '--form', 'exact', '--json'];
    const result = await run('models', 'add', file, ...args);
    t.equal(result.status, 0, result.stderr);
  }
  const list = (await run('models', 'list', '--installed', '--json')).json();
  t.match(
    list.filter(({ name }) => String(name).startsWith('mobilenet_')),
    [
      { family: 'mobilenet_v1', alpha: 0.25, sizes: [32] },
      { family: 'mobilenet_v2', alpha: 0.35, sizes: [32] },
    ],
  );
});

/** The classifier with an operator in front that reads paddings. */
function withPads(pads: readonly number[], opType: string): Uint8Array {
  const spec = classifierSpec({ size: 32 });
  const { node, initializer } = spec.graph;
  node.unshift({ opType, input: ['input', 'pads'], output: ['padded'], attribute: [] });
  Object.assign(node[1] ?? {}, { input: ['padded'] });
  const rawData = new Uint8Array(BigInt64Array.from(pads, BigInt).buffer);
  initializer.push({ name: 'pads', dims: [pads.length], dataType: 7, rawData });
  return encodeOnnx(spec);
}

t.test('what cannot be added says why and leaves nothing', async (t) => {
  const onnx = put('float.onnx', encodeOnnx(classifierSpec({ size: 32 })));
  const cut = put('cut.onnx', encodeOnnx(classifierSpec({ size: 32 })).subarray(0, 200));
  const tiny = put('tiny.onnx', encodeOnnx(classifierSpec({ size: 16 })));
  const scaling = ['--mean', '0', '--scale', '1'];
  const misfit = put('misfit.onnx', withPads([0, 0, 0, 0, 0, 0, 0, 0], 'Relu'));
  const bomb = put('bomb.onnx', withPads([0, 0, 0, 0, 0, 0, 2 ** 40, 2 ** 40], 'Pad'));
  const cases: readonly (readonly [args: readonly string[], status: number, text: RegExp])[] = [
    [[onnx, '--labels', labelsOf(4)], 64, /MND_MODEL_QUESTION.*--mean/],
    [[onnx, '--labels', labelsOf(4), '--mean', '0'], 64, /MND_USAGE.*together/],
    [[onnx, '--labels', labelsOf(4), '--mean', 'x', '--scale', '1'], 64, /MND_USAGE.*--mean/],
    [[onnx, '--labels', labelsOf(5), ...scaling], 1, /MND_LABELS_INVALID.*expected 4 labels/],
    [[onnx, '--labels', labelsOf(4), ...scaling, '--form', 'exact'], 1, /MND_MODEL_MISMATCH/],
    [[onnx, '--labels', labelsOf(4), ...scaling, '--task', 'detect'], 1, /MND_MODEL_MISMATCH/],
    [[tiny, '--labels', labelsOf(4), ...scaling], 1, /MND_MODEL_SHAPE.*32 to 1024 px; found 16 px/],
    [[misfit, '--labels', labelsOf(4), ...scaling], 1, /MND_MODEL_INVALID.*Relu/],
    [[bomb, '--labels', labelsOf(4), ...scaling], 1, /MND_MODEL_INVALID.*Pad/],
    [[cut, '--labels', labelsOf(4), ...scaling], 1, /MND_MODEL_TRUNCATED/],
  ];
  for (const [args, status, text] of cases) {
    const result = await run('models', 'add', ...args);
    t.equal(result.status, status, args.join(' '));
    t.match(result.stderr, text);
  }
  const list = (await run('models', 'list', '--installed', '--json')).json();
  t.notOk(list.some(({ name }) => name === 'float' || name === 'cut'));
});
