import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import t from 'tap';
import { openBundle } from '#mobilenetd/models/install/bundle.js';
import { buildZip } from '../archives.js';

const root = mkdtempSync(join(tmpdir(), 'bundle-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
function zip(files: Readonly<Record<string, string>>): [file: string, scratch: string] {
  count += 1;
  const members = Object.entries(files).map(([path, text]) => ({ path, data: Buffer.from(text) }));
  const file = join(root, `${count}.zip`);
  writeFileSync(file, buildZip(members));
  return [file, mkdtempSync(join(root, 'scratch-'))];
}

t.test("Teachable Machine's zips", async (t) => {
  const quantized = await openBundle(
    ...zip({ 'model.tflite': 'x', 'labels.txt': '0 cat\n1 dog\n' }),
  );
  t.match(
    quantized,
    { labels: ['cat', 'dog'], maker: null },
    'its scale says how pixels are stored',
  );
  t.equal(basename(quantized.file), 'model.tflite');
  const both = await openBundle(...zip({ 'model_unquant.tflite': 'f', 'labels.txt': 'cat\ndog' }));
  t.equal(basename(both.file), 'model_unquant.tflite');
  t.equal(both.maker, 'teachable-machine');
  const web = await openBundle(
    ...zip({
      'model.json': '{}',
      'weights.bin': 'w',
      'metadata.json': '{"tmVersion":"2.4.4","labels":["a","b"]}',
    }),
  );
  t.match(web, { labels: ['a', 'b'], maker: 'teachable-machine' });
  t.equal(basename(web.file), 'model.json');
});

t.test("Edge Impulse's library", async (t) => {
  const library = zip({
    'edge-impulse-sdk/classifier/x.h': '',
    'model-parameters/model_metadata.h': '#define EI_CLASSIFIER_INPUT_WIDTH 96',
    'model-parameters/model_variables.h':
      'const char* ei_classifier_inferencing_categories_3[] = { "no one", "per\\"son" };',
    'tflite-model/tflite_learn_3.tflite': 'x',
  });
  const bundle = await openBundle(...library);
  t.match(bundle, { labels: ['no one', 'per"son'], maker: 'edge-impulse' });
  const compiled = 'TfLiteStatus trained_model_init() { static const uint8_t data[] = {1}; }';
  await t.rejects(openBundle(...zip({ 'tflite-model/tflite_learn_3.cpp': compiled })), {
    code: 'MND_MODEL_FORMAT',
    message: /an Edge Impulse library whose network is compiled into its source; download/,
  });
  await t.rejects(openBundle(...zip({ 'edge-impulse-sdk/x.h': '', 'tflite-model/c.cpp': '' })), {
    code: 'MND_MODEL_FORMAT',
    message:
      /an Edge Impulse library whose network is compiled into its source; download "TensorFlow Lite/,
  });
});

t.test("the model as an array of a C++ library's source", async (t) => {
  const model = Uint8Array.from([28, 0, 0, 0, ...Buffer.from('TFL3'), 0, 255, 7]);
  const hexadecimal = [...model].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`);
  const arrays = [
    `alignas(16) const unsigned char tflite_learn_5[] = {\n  ${hexadecimal.join(', ')}\n};`,
    `const unsigned char other[] = { 1, 2 };\nunsigned char trained_tflite[11] = {${model.join()}};`,
    `const unsigned char trained_tflite[] ALIGN(16) = { ${hexadecimal.join(',')}, };`,
  ];
  const names = ['tflite_learn_5.cpp', 'trained_tflite.h', 'tflite_learn_12_quantized.cpp'];
  for (const [at, source] of arrays.entries()) {
    const bundle = await openBundle(
      ...zip({
        [`lib/tflite-model/${names[at]}`]: source,
        'lib/model-parameters/model_variables.h':
          'categories_1[] = {}; x_inferencing_categories[] = { "a", "b" };',
      }),
    );
    t.strictSame(new Uint8Array(readFileSync(bundle.file)), model);
    t.match(bundle, { labels: ['a', 'b'], maker: 'edge-impulse' });
  }
});

t.test('zips of other kinds', async (t) => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ 'config.json': '{}', 'model.weights.h5': '' }, /a Keras model \(\.keras\); convert it/],
    [{ 'archive/data.pkl': '' }, /a PyTorch file; export it to ONNX/],
    [{ 'x/saved_model.pb': '' }, /a TensorFlow SavedModel; convert it/],
    [{ 'readme.txt': '' }, /expected a zip with a \.tflite.*found 1 other files/],
  ];
  for (const [files, message] of cases) {
    await t.rejects(openBundle(...zip(files)), { code: 'MND_MODEL_FORMAT', message });
  }
  const damaged = join(root, 'damaged.zip');
  writeFileSync(damaged, 'PK\u0003\u0004');
  await t.rejects(openBundle(damaged, root), { code: 'MND_ARCHIVE_INVALID' });
});

t.test('zips as people make them', async (t) => {
  const lists = { 'labels.txt': 'cat\ndog' };
  const cases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'in a folder': { 'my net/birds.tflite': 'x', 'my net/labels.txt': 'cat\ndog' },
    'on a Mac': { '__MACOSX/._birds.tflite': 'y', ...lists, 'birds.tflite': 'x' },
    'hidden files': { '.birds.tflite': 'y', '.labels.txt': 'a', ...lists, 'birds.tflite': 'x' },
    'in capitals': { 'BIRDS.TFLITE': 'x', 'Labels.TXT': 'cat\ndog' },
    'other lists': { 'a/labels.txt': 'x', 'b/birds.tflite': 'x', 'b/labels.txt': 'cat\ndog' },
    'a file for another accelerator besides': {
      'm/model_edgetpu.tflite': 'y',
      'm/model.tflite': 'x',
      ...lists,
    },
  };
  for (const [what, files] of Object.entries(cases)) {
    const bundle = await openBundle(...zip(files));
    t.equal(readFileSync(bundle.file, 'utf8'), 'x', what);
    t.strictSame(bundle.labels, ['cat', 'dog'], what);
    t.equal(bundle.maker, null, `${what}: nothing says how its pixels become numbers`);
  }
  const apart = zip({ 'm.tflite': 'x', 'a/labels.txt': 'cat', 'b/labels.txt': 'dog' });
  t.equal((await openBundle(...apart)).labels, null, 'two lists, neither beside the model');
  const other = zip({ 'm.tflite': 'x', 'metadata.json': '{"version": 3}' });
  t.equal((await openBundle(...other)).labels, null, 'a description of something else');
  const several = zip({ 'cats.tflite': 'x', 'dogs.tflite': 'y', ...lists });
  await t.rejects(openBundle(...several), {
    code: 'MND_MODEL_FORMAT',
    message: /a zip with one model in it; found 2: cats\.tflite, dogs\.tflite; unpack it/,
  });
  await t.rejects(openBundle(...zip({})), { code: 'MND_MODEL_FORMAT', message: /found 0 other/ });
  await t.rejects(openBundle(...zip({ '../model.tflite': 'x' })), { code: 'MND_ARCHIVE_INVALID' });
});
