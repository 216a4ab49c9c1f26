import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import t from 'tap';
import { fileEntry, LABELS, sampleShelf, tinyEntry, tinyModel } from '../sample-shelf.js';

const NOWHERE = {
  kind: 'file',
  path: 'none',
  archive: 'none',
  sha256: '0'.repeat(64),
  members: [{ path: 'none', sha256: null }],
};

async function scene(t: Parameters<typeof sampleShelf>[0]) {
  const sample = await sampleShelf(t, [tinyEntry(NOWHERE)]);
  const file = join(sample.root, 'My Model (2).tflite');
  const labels = join(sample.root, 'labels.txt');
  await writeFile(file, tinyModel(2));
  await writeFile(labels, LABELS.join('\n'));
  return { ...sample, file, labels };
}

t.test('a model of the user', async (t) => {
  const { shelf, file, labels } = await scene(t);
  const model = await shelf.add(file, { labels });
  t.match(model, {
    name: 'my_model_2_',
    family: 'mobilenet_v1',
    task: 'classify',
    alpha: 0.25,
    sizes: [32],
    centralCrop: 1,
    accuracy: { top1: null },
    labels: LABELS,
    origin: { source: `file:${basename(file)}` },
  });
  t.strictSame(Object.keys(model.forms), ['exact', 'symmetric', 'reduced', 'float32']);
  t.equal((await shelf.resolve({ task: 'classify', name: 'auto', form: 'auto' })).name, model.name);
  t.match((await shelf.list()).at(-1), { name: model.name, source: null });
  await t.rejects(shelf.add(file, { labels }), {
    code: 'MND_USAGE',
    message: /mobilenetd models remove my_model_2_/,
  });
  const other = { labels, name: 'second', centralCrop: 0.5, forms: ['exact'] as const };
  const second = await shelf.add(file, other);
  t.match(second, { name: 'second', centralCrop: 0.5 });
  t.strictSame(Object.keys(second.forms), ['exact']);
});

t.test('a file that the catalogue knows gets its description', async (t) => {
  const { shelf, root, catalogFile, labels } = await scene(t);
  const entry = await fileEntry(root, tinyModel(1));
  const finder = tinyEntry(NOWHERE, { name: 'finder', task: 'detect' });
  const defaults = { classify: 'tiny', detect: 'finder' };
  await writeFile(catalogFile, JSON.stringify({ schema: 1, defaults, models: [entry, finder] }));
  const model = await shelf.add(join(root, 'tiny.tflite'), { labels });
  t.match(model, { name: 'tiny', accuracy: { top1: 12.5 }, licence: 'Apache-2.0' });
  t.equal((await shelf.pull(['tiny']))[0]?.fresh, false, 'and counts as pulled');
});

t.test('what cannot be added', async (t) => {
  const { shelf, dir, root, file, labels } = await scene(t);
  const put = async (name: string, content: string) => {
    await writeFile(join(root, name), content);
    return join(root, name);
  };
  const three = await put('three.txt', 'a\nb\nc\n');
  const noModel = await put('none.tflite', 'no model');
  await mkdir(join(root, 'web'));
  const manifest = (paths: unknown) =>
    put(`web/${Math.random()}.json`, JSON.stringify({ weightsManifest: [{ paths }] }));
  const cases: readonly (readonly [name: string, run: () => Promise<unknown>, code: string])[] = [
    ['no file', () => shelf.add(join(root, 'x.tflite'), { labels }), 'MND_INPUT_MISSING'],
    ['a folder', () => shelf.add(root, { labels }), 'MND_INPUT_MISSING'],
    ['no labels', () => shelf.add(file, { labels: join(root, 'x') }), 'MND_INPUT_MISSING'],
    ['other labels', () => shelf.add(file, { labels: three }), 'MND_LABELS_INVALID'],
    ['no model', () => shelf.add(noModel, { labels }), 'MND_MODEL_INVALID'],
    ['the other task', () => shelf.add(file, { labels, task: 'detect' }), 'MND_MODEL_MISMATCH'],
    ['a name that climbs', () => shelf.add(file, { labels, name: '../x' }), 'MND_USAGE'],
    ['a name that means something', () => shelf.add(file, { labels, name: 'auto' }), 'MND_USAGE'],
    ['no name', () => shelf.add(file, { labels, name: '' }), 'MND_USAGE'],
    [
      'a scaling that the stored numbers contradict',
      () =>
        shelf.add(file, {
          labels,
          picture: { scaling: { mean: [0], scale: [1] }, reversed: false, size: null },
        }),
      'MND_USAGE',
    ],
    [
      'a manifest that is none',
      async () => shelf.add(await put('a.json', '[]'), { labels }),
      'MND_MODEL_INVALID',
    ],
    [
      'a shard elsewhere',
      async () => shelf.add(await manifest(['../../etc/passwd']), { labels }),
      'MND_MODEL_INVALID',
    ],
    [
      'a shard that is no name',
      async () => shelf.add(await manifest([7]), { labels }),
      'MND_MODEL_INVALID',
    ],
    [
      'a shard that is missing',
      async () => shelf.add(await manifest(['shard1']), { labels }),
      'MND_INPUT_MISSING',
    ],
  ];
  for (const [name, run, code] of cases) await t.rejects(run(), { code }, name);
  t.strictSame(await readdir(dir), [], 'nothing is left');
});
