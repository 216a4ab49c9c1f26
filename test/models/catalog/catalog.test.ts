import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import t from 'tap';
import { SCHEMA_DIALECT } from '#mobilenetd/built-check.js';
import { familyNamed } from '#mobilenetd/families/families.js';
import { MOBILENET_V1 } from '#mobilenetd/families/mobilenet-v1.js';
import { type Catalog, labelsFileOf, readCatalog } from '#mobilenetd/models/catalog/catalog.js';
import { CATALOG_SCHEMA } from '#mobilenetd/models/catalog/catalog-schema.js';
import { qualityFigure } from '#mobilenetd/models/catalog/quality.js';
import { INSTALLED_SCHEMA } from '#mobilenetd/models/install/installed-schema.js';
import { readLabels } from '#mobilenetd/models/labels.js';
import { scratchFolder } from '../../scratch-folder.js';

t.test('the schemas are valid', (t) => {
  for (const schema of [CATALOG_SCHEMA, INSTALLED_SCHEMA]) {
    t.doesNotThrow(() => new Ajv(SCHEMA_DIALECT).compile(schema));
  }
  t.end();
});

const SHIPPED = 'models/catalog.json';

t.test('the shipped catalogue is complete and true to the architecture', async (t) => {
  const catalog = await readCatalog();
  const family = catalog.models.filter(
    ({ family, ladder }) => family === 'mobilenet_v1' && ladder === undefined,
  );
  const grid = [1, 0.75, 0.5, 0.25].flatMap((alpha) =>
    [224, 192, 160, 128].map((size) => `${alpha} ${size}`),
  );
  t.strictSame(
    family.map(({ alpha, sizes }) => `${alpha} ${sizes[0]}`),
    grid,
  );
  for (const { name, alpha, sizes, multAdds } of family) {
    const { totals } = MOBILENET_V1.describe({ alpha, size: sizes[0] ?? 0, classes: 1001 });
    t.equal(multAdds?.[0], Math.round(totals.multAdds / 1e5) / 10, `${name}: multiply-adds`);
    t.ok(name.includes(`_${sizes[0]}_`), `${name}: size`);
  }
  t.equal(new Set(family.map(({ accuracy }) => accuracy.top1)).size > 10, true);
  const names = catalog.models.map(({ name }) => name);
  for (const name of [
    'mobilenet_v2_1.0_224_quant',
    'mobilenet_v3_large_1.0_224_uint8',
    'mobilenet_v3_small_1.0_224_uint8',
    'ssd_mobilenet_v1_coco_quant',
    'ssd_mobilenet_v1_1.0_coco_quant',
    'ssd_mobilenet_v2_coco_quant',
    'ssd_mobilenet_v2_oidv4',
    'efficientnet_lite0_224_uint8',
    'efficientnet_lite4_300_uint8',
  ]) {
    t.ok(names.includes(name), name);
  }
  for (const { name, family: own, alpha, sizes, multAdds, labels } of catalog.models) {
    const [first] = multAdds ?? [];
    if (first === undefined || !/^(ssd|efficientnet)/.test(own)) continue;
    const classes = labels.startsWith('coco') ? 91 : labels.startsWith('imagenet') ? 1000 : 24;
    const described = familyNamed(own)?.describe({ alpha, size: sizes[0] ?? 0, classes });
    const computed = (described?.totals.multAdds ?? 0) / 1e6;
    t.ok(Math.abs(first - computed) < 0.06 * Math.max(1, computed / 1000), `${name}: ${computed}`);
  }
  for (const { name, sizes, quality } of catalog.models) {
    if (sizes.length === 1) continue;
    t.strictSame(
      quality?.map(({ size }) => size),
      sizes,
      `${name}: every size was measured`,
    );
    const figures = quality?.map(qualityFigure) ?? [];
    t.ok((figures[0] ?? 0) > Math.max(...figures.slice(1)), `${name}: the native size is best`);
  }
  t.strictSame(
    catalog.models.find(({ name }) => name === catalog.defaults.detect)?.sizes,
    [300, 268, 236, 204, 172, 140],
  );
});

t.test('every label file of the catalogue is there, with its number of labels', async (t) => {
  const catalog = await readCatalog();
  for (const entry of catalog.models) {
    const labels = await readLabels(labelsFileOf(catalog, entry));
    const detector = entry.labels === 'openimages_24.txt' ? 24 : 91;
    const classifier = entry.ladder === undefined ? 1001 : 58;
    t.equal(labels.length, entry.task === 'detect' ? detector : classifier, entry.name);
  }
  const detector = catalog.models.find(({ name }) => name === catalog.defaults.detect);
  const labels = detector === undefined ? [] : await readLabels(labelsFileOf(catalog, detector));
  t.equal(labels[0], '', 'the background has no name');
  t.equal(labels[1], 'person');
  t.equal(labels[13], 'stop sign');
  t.equal(labels[90], 'toothbrush');
  t.equal(labels.filter((label) => label !== '').length, 80);
});

t.test('the shipped ladder has every width at every size, in small files', async (t) => {
  const catalog = await readCatalog();
  const rungs = catalog.models.filter(({ ladder }) => ladder === 'mobilenetd_things');
  t.strictSame(
    rungs.map(({ alpha, sizes }) => `${alpha} ${sizes[0]}`),
    [1, 0.75, 0.5, 0.25].flatMap((alpha) => [128, 112, 96, 80].map((size) => `${alpha} ${size}`)),
  );
  const files = new Map<string, number>();
  for (const { name, alpha, sizes, multAdds, source, accuracy } of rungs) {
    const { totals } = MOBILENET_V1.describe({ alpha, size: sizes[0] ?? 0, classes: 58 });
    t.equal(multAdds?.[0], Math.round(totals.multAdds / 1e4) / 100, `${name}: multiply-adds`);
    t.ok((accuracy.top1 ?? 0) > 50, `${name}: ${accuracy.top1} %`);
    if (source.kind !== 'file') throw new Error(`${name} is not shipped`);
    const bytes = readFileSync(join('models', source.path));
    t.equal(createHash('sha256').update(bytes).digest('hex'), source.sha256, name);
    files.set(source.path, bytes.length);
  }
  const total = [...files.values()].reduce((sum, bytes) => sum + bytes, 0);
  t.ok(files.size === 4 && total < 7e6, `${total} bytes in ${files.size} files`);
});

type Json = Record<string, unknown>;
type Edit = (catalog: { models: Json[] } & Json) => void;

function entryOf(catalog: { models: Json[] }, index: number): Json & { source: Json } {
  const entry = catalog.models[index];
  if (entry === undefined) throw new Error('no such entry');
  return entry as Json & { source: Json };
}

const MALFORMED: Readonly<Record<string, readonly [edit: Edit, place: RegExp]>> = {
  'another schema': [(c) => Object.assign(c, { schema: 2 }), /\/schema must be equal/],
  'no models': [
    (c) => Object.assign(c, { models: undefined }),
    /must have required property 'models'/,
  ],
  'a checksum that is too short': [
    (c) => Object.assign(entryOf(c, 3).source, { sha256: 'abc' }),
    /\/models\/3\/source\/sha256/,
  ],
  'an archive of which nobody says what it must be': [
    (c) => Object.assign(entryOf(c, 3).source, { sha256: null }),
    /\/models\/3\/source\/sha256 must be there/,
  ],
  'an integrity that is none': [
    (c) => Object.assign(entryOf(c, 24).source, { integrity: 'sha1-xyz' }),
    /\/models\/24\/source\/integrity/,
  ],
  'a name that leaves the folder': [
    (c) => Object.assign(entryOf(c, 0), { name: '../evil' }),
    /\/models\/0\/name/,
  ],
  'labels that leave the folder': [
    (c) => Object.assign(entryOf(c, 0), { labels: '../../etc/passwd' }),
    /\/models\/0\/labels/,
  ],
  'an alpha of zero': [(c) => Object.assign(entryOf(c, 1), { alpha: 0 }), /\/models\/1\/alpha/],
  'a size that is no number': [
    (c) => Object.assign(entryOf(c, 2), { sizes: ['224'] }),
    /\/models\/2\/sizes\/0/,
  ],
  'an unknown task': [(c) => Object.assign(entryOf(c, 2), { task: 'guess' }), /\/models\/2\/task/],
  'an unknown kind of source': [
    (c) => Object.assign(entryOf(c, 2).source, { kind: 'ftp' }),
    /\/models\/2\/source/,
  ],
  'an address that is no web address': [
    (c) => Object.assign(entryOf(c, 2).source, { url: 'file:///etc/passwd' }),
    /\/models\/2\/source\/url/,
  ],
  'an unknown key': [
    (c) => Object.assign(entryOf(c, 4), { acuracy: {} }),
    /\/models\/4 must NOT have additional properties \("acuracy"\)/,
  ],
  'two models of one name': [
    (c) => Object.assign(entryOf(c, 5), { name: entryOf(c, 1).name }),
    /\/models\/5\/name .* is that of \/models\/1/,
  ],
  'multiply-adds for other sizes': [
    (c) => Object.assign(entryOf(c, 6), { multAdds: [1, 2] }),
    /\/models\/6\/multAdds has 2 values for 1 sizes/,
  ],
  'a ladder of two kinds of labels': [
    (c) =>
      Object.assign(c, {
        ladders: { mixed: ['mobilenet_v1_1.0_224_quant', 'ssd_mobilenet_v2_oidv4'] },
      }),
    /\/ladders\/mixed "ssd_mobilenet_v2_oidv4" is no model of the same labels/,
  ],
  'a ladder of nothing': [
    (c) => Object.assign(c, { ladders: { empty: ['nothing'] } }),
    /\/ladders\/empty names no model/,
  ],
  'a default that is no model': [
    (c) => Object.assign(c, { defaults: { classify: 'nothing', detect: 'nothing' } }),
    /\/defaults\/classify/,
  ],
  'the same member twice': [
    (c) => {
      const { source } = entryOf(c, 24);
      const [first] = source.members as unknown[];
      Object.assign(source, { members: [first, first] });
    },
    /\/models\/24\/source\/members has .* twice/,
  ],
};

t.test('a malformed catalogue is refused, with the place', async (t) => {
  const dir = scratchFolder('catalog');
  const text = await readFile(SHIPPED, 'utf8');
  for (const [name, [edit, place]] of Object.entries(MALFORMED)) {
    const catalog: { models: Json[] } & Json = JSON.parse(text);
    edit(catalog);
    const file = join(dir, 'catalog.json');
    await writeFile(file, JSON.stringify(catalog));
    await t.rejects(readCatalog(file), { code: 'MND_CATALOG_INVALID', message: place }, name);
  }
});

t.test('a catalogue that cannot be read is refused', async (t) => {
  const dir = scratchFolder('catalog');
  const file = join(dir, 'catalog.json');
  await t.rejects(readCatalog(file), { code: 'MND_CATALOG_INVALID', message: /ENOENT/ });
  for (const content of ['', '{', '[]', 'null', '"x"', '\u0000']) {
    await writeFile(file, content);
    await t.rejects(readCatalog(file), { code: 'MND_CATALOG_INVALID' }, JSON.stringify(content));
  }
  await writeFile(file, ' '.repeat(5_000_000));
  await t.rejects(readCatalog(file), { code: 'MND_CATALOG_INVALID', message: /5000000 bytes/ });
});

t.test('the type of a read catalogue is what it says', async (t) => {
  const catalog: Catalog = await readCatalog(SHIPPED);
  t.equal(catalog.file, SHIPPED);
});
