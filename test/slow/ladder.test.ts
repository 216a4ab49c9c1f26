import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { trainedFile } from '../convert/safetensors/build-safetensors.js';
import { fileEntry, sampleShelf, tinyEntry, tinyModel } from '../models/sample-shelf.js';

const NOWHERE = {
  kind: 'file',
  path: 'none',
  archive: 'none',
  sha256: '0'.repeat(64),
  members: [{ path: 'none', sha256: null }],
};
const NAMES = ['background', 'apple', 'clock'];

const DOCUMENT = {
  schema: 1,
  name: 'kitchen',
  family: 'mobilenet_v1',
  labels: 'labels.txt',
  centralCrop: 0.875,
  classes: NAMES.length,
  models: [
    {
      alpha: 0.25,
      file: 'alpha-0.25.safetensors',
      figures: [
        { size: 64, top1: 50, top5: 90, symmetric: { top1: 49.5, top5: 90 } },
        { size: 48, top1: 40, top5: 80 },
      ],
    },
  ],
};

async function scene(t: Parameters<typeof sampleShelf>[0], document: object = DOCUMENT) {
  const sample = await sampleShelf(t, [tinyEntry(NOWHERE)]);
  const folder = join(sample.root, 'out');
  await mkdir(folder);
  await writeFile(join(folder, 'ladder.json'), JSON.stringify(document));
  await writeFile(join(folder, 'labels.txt'), NAMES.join('\n'));
  const file = trainedFile({ sizes: [64, 48], classes: NAMES.length, int8: true });
  await writeFile(join(folder, 'alpha-0.25.safetensors'), file);
  return { ...sample, folder };
}

async function all<T>(each: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of each) found.push(item);
  return found;
}

t.test('a trained folder becomes rungs, found by the ladder and removed with it', async (t) => {
  const { shelf, folder } = await scene(t);
  const models = await all(shelf.addLadder(folder));
  t.match(models, [
    { name: 'kitchen_0.25_64', sizes: [64], accuracy: { top1: 49.5 }, ladder: 'kitchen' },
    { name: 'kitchen_0.25_48', sizes: [48], accuracy: { top1: 40 }, labels: NAMES },
  ]);
  t.same(Object.keys(models[0]?.forms ?? {}), ['symmetric', 'reduced']);
  const request = { task: 'classify', form: 'auto' } as const;
  const best = await shelf.resolve({ ...request, name: 'kitchen' });
  t.match(best, { name: 'kitchen_0.25_64', ladder: 'kitchen', family: 'mobilenet_v1' });
  const small = await shelf.resolve({ ...request, name: 'kitchen', size: 48 });
  t.equal(small.name, 'kitchen_0.25_48');
  const message = /kitchen_0.25_64/;
  await t.rejects(all(shelf.addLadder(folder)), { code: 'MND_USAGE', message });
  t.equal((await all(shelf.addLadder(folder, { name: 'second' })))[0]?.ladder, 'second');
  await shelf.remove('kitchen');
  t.same(
    (await shelf.installed()).map(({ name }) => name),
    ['second_0.25_48', 'second_0.25_64'],
  );
});

t.test('other labels count for nothing where no model is named', async (t) => {
  const { shelf, folder, root, catalogFile } = await scene(t);
  const entry = await fileEntry(root, tinyModel(1));
  const finder = tinyEntry(NOWHERE, { name: 'finder', task: 'detect' });
  const defaults = { classify: 'tiny', detect: 'finder' };
  await writeFile(catalogFile, JSON.stringify({ schema: 1, defaults, models: [entry, finder] }));
  await shelf.pull(['tiny']);
  await all(shelf.addLadder(folder));
  const found = await shelf.resolve({ task: 'classify', name: 'auto', form: 'auto' });
  t.equal(found.name, 'tiny', `of ${found.accuracy.top1} %, beside 49.5 % of other labels`);
});

t.test('a ladder of the catalogue is pulled whole', async (t) => {
  const { shelf, root, catalogFile } = await scene(t);
  const source = trainedFile({ sizes: [64, 48], classes: NAMES.length });
  const base = await fileEntry(root, source);
  const rung = (size: number) => ({
    ...base,
    name: `shop_0.25_${size}`,
    sizes: [size],
    format: 'safetensors',
    forms: ['symmetric'],
    multAdds: null,
    ladder: 'shop',
  });
  await writeFile(join(root, 'catalog', 'labels', 'tiny.txt'), NAMES.join('\n'));
  const finder = tinyEntry(NOWHERE, { name: 'finder', task: 'detect' });
  const tiny = tinyEntry(NOWHERE);
  const defaults = { classify: 'tiny', detect: 'finder' };
  const models = [tiny, finder, rung(64), rung(48)];
  await writeFile(catalogFile, JSON.stringify({ schema: 1, defaults, models }));
  const request = { task: 'classify', name: 'shop', form: 'auto' } as const;
  await t.rejects(shelf.resolve(request), { code: 'MND_MODEL_MISSING', message: /pull shop/ });
  t.match(await shelf.ensure(request), { ladder: 'shop' });
  t.same(
    (await shelf.pull(['shop'])).map(({ model, fresh }) => [model.name, fresh]),
    [
      ['shop_0.25_64', false],
      ['shop_0.25_48', false],
    ],
  );
});

t.test('a folder that is no ladder', async (t) => {
  const { shelf, folder, root } = await scene(t);
  await t.rejects(all(shelf.addLadder(root)), { code: 'MND_MODEL_INVALID', message: /train\.py/ });
  await t.rejects(all(shelf.addLadder(folder, { name: '../x' })), { code: 'MND_USAGE' });
  const climbing = { ...DOCUMENT, labels: '../labels.txt' };
  await writeFile(join(folder, 'ladder.json'), JSON.stringify(climbing));
  await t.rejects(all(shelf.addLadder(folder)), { code: 'MND_MODEL_INVALID' });
  const [model] = DOCUMENT.models;
  const strange = {
    ...DOCUMENT,
    models: [{ ...model, figures: [{ size: 96, top1: 1, top5: 2 }] }],
  };
  await writeFile(join(folder, 'ladder.json'), JSON.stringify(strange));
  await t.rejects(all(shelf.addLadder(folder)), { code: 'MND_MODEL_MISMATCH', message: /96 px/ });
  const file = join(folder, 'alpha-0.25.safetensors');
  const options = { labels: join(folder, 'labels.txt') };
  await t.rejects(shelf.add(file, options), { code: 'MND_MODEL_FORMAT', message: /--ladder/ });
  t.same(await shelf.installed(), []);
});
