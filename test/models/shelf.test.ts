import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { isCodedError } from '#mobilenetd/errors.js';
import type { InstallStep } from '#mobilenetd/models/install/install.js';
import type { InstallProgress } from '#mobilenetd/models/shelf.js';
import {
  CLASSES,
  fileEntry,
  LABELS,
  sampleShelf,
  sha256,
  tinyEntry,
  tinyModel,
} from './sample-shelf.js';

const MODEL = tinyModel();

const REQUEST = { task: 'classify', name: 'auto', form: 'auto' } as const;

/** A shelf that can pull `tiny`, described as `edit` says. */
async function tinyShelf(
  t: Parameters<typeof sampleShelf>[0],
  edit: object = {},
  options: Parameters<typeof sampleShelf>[2] = {},
  bytes: Uint8Array = MODEL,
) {
  const sample = await sampleShelf(t, [tinyEntry({ kind: 'none' })], options);
  const entry = await fileEntry(sample.root, bytes, edit);
  const catalog = JSON.parse(await readFile(sample.catalogFile, 'utf8'));
  catalog.models[0] = entry;
  catalog.defaults.classify = 'tiny';
  await writeFile(sample.catalogFile, JSON.stringify(catalog));
  return sample;
}

t.test('pull, look, use, remove', async (t) => {
  const { shelf, dir } = await tinyShelf(t);
  t.strictSame(await shelf.installed(), [], 'a folder that does not exist is empty');
  t.strictSame(await shelf.variants(), []);
  await t.rejects(shelf.resolve(REQUEST), {
    code: 'MND_MODEL_MISSING',
    message: /run: mobilenetd models pull tiny$/,
  });

  const stages: string[] = [];
  const onProgress = ({ stage }: InstallProgress) => void stages.push(stage);
  const [result] = await shelf.pull(['tiny'], { onProgress });
  t.equal(result?.fresh, true);
  t.strictSame(stages, ['unpack', 'convert', 'verify']);
  t.strictSame((await readdir(dir)).sort(), ['tiny']);
  t.strictSame((await readdir(join(dir, 'tiny'))).sort(), [
    'labels.txt',
    'model.exact.onnx',
    'model.json',
    'model.symmetric.onnx',
  ]);

  const record = JSON.parse(await readFile(join(dir, 'tiny', 'model.json'), 'utf8'));
  t.equal(record.schema, 1);
  t.match(record.convertedBy, /^mobilenetd \d/);
  t.strictSame(record.origin.files, [{ name: 'tiny.tflite', sha256: sha256(MODEL) }]);
  for (const form of ['exact', 'symmetric']) {
    const bytes = await readFile(join(dir, 'tiny', `model.${form}.onnx`));
    t.equal(record.forms[form].sha256, sha256(bytes));
    t.equal(record.forms[form].bytes, bytes.length);
  }

  const variant = await shelf.resolve(REQUEST);
  t.match(variant, {
    name: 'tiny',
    model: 'tiny',
    alpha: 0.25,
    size: 32,
    form: 'exact',
    file: join(dir, 'tiny', 'model.exact.onnx'),
    sha256: record.forms.exact.sha256,
    labels: LABELS,
    head: { kind: 'classifier', classes: CLASSES },
    preprocessing: { centralCrop: 0.875 },
    accuracy: { top1: 12.5 },
  });
  t.strictSame(
    (await shelf.variants('classify')).map(({ name }) => name),
    ['tiny'],
  );
  t.strictSame(await shelf.variants('detect'), []);
  t.strictSame(await shelf.variants('classify', 'float32'), []);

  const [again] = await shelf.pull(['tiny']);
  t.equal(again?.fresh, false, 'nothing is done twice');
  t.equal((await shelf.pull(['tiny'], { force: true }))[0]?.fresh, true, 'unless it is asked for');
  const [more] = await shelf.pull(['tiny'], { forms: ['float32'] });
  t.equal(more?.fresh, true);
  t.strictSame(Object.keys(more?.model.forms ?? {}).sort(), ['exact', 'float32', 'symmetric']);
  t.equal((await shelf.resolve({ ...REQUEST, form: 'float32' })).head.kind, 'classifier');

  const entries = await shelf.list();
  t.match(entries[0], { name: 'tiny', isDefault: true, problem: null });
  t.strictSame(Object.keys(entries[0]?.installed ?? {}).sort(), ['exact', 'float32', 'symmetric']);
  t.strictSame(entries[1]?.installed, {});

  await shelf.remove('tiny');
  t.strictSame(await readdir(dir), []);
  await t.rejects(shelf.remove('tiny'), { code: 'MND_MODEL_MISSING' });
  await t.rejects(shelf.remove('tinny'), { code: 'MND_MODEL_UNKNOWN' });
});

t.test('a ladder of the catalogue is pulled whole, by its name', async (t) => {
  const { shelf, catalogFile } = await tinyShelf(t);
  const catalog = JSON.parse(await readFile(catalogFile, 'utf8'));
  await writeFile(catalogFile, JSON.stringify({ ...catalog, ladders: { small: ['tiny'] } }));
  const pulled = await shelf.pull(['small', 'tiny']);
  t.strictSame(
    pulled.map(({ model }) => model.name),
    ['tiny'],
    'each of its models once',
  );
  await t.rejects(shelf.pull(['smal']), { message: /did you mean small/ });
});

t.test('ensure pulls what is missing, once', async (t) => {
  const { shelf } = await tinyShelf(t, { forms: ['exact'] });
  const [one, two] = await Promise.all([shelf.ensure(REQUEST), shelf.ensure(REQUEST)]);
  t.equal(one?.file, two?.file);
  t.equal(one?.form, 'exact');
  await t.rejects(shelf.ensure({ ...REQUEST, name: 'nothing' }), { code: 'MND_MODEL_UNKNOWN' });
});

t.test('unknown names are refused before anything is fetched', async (t) => {
  const { shelf, dir } = await tinyShelf(t);
  await t.rejects(shelf.pull(['tiny', 'tinyy']), {
    code: 'MND_MODEL_UNKNOWN',
    message: /did you mean tiny\?/,
  });
  t.strictSame(await readdir(dir).catch(() => []), []);
});

t.test('a model that is not what its description says', async (t) => {
  const cases: Readonly<Record<string, readonly [edit: object, code: string, message: RegExp]>> = {
    'another alpha': [
      { alpha: 0.5 },
      'MND_MODEL_MISMATCH',
      /expected MobileNetV1, alpha 0.5, 32 px; found MobileNetV1, alpha 0.25, 32 px/,
    ],
    'another size': [
      { sizes: [64] },
      'MND_MODEL_MISMATCH',
      /expected MobileNetV1, alpha 0.25, 64 px/,
    ],
    'another family': [
      { family: 'mobilenet_v2' },
      'MND_MODEL_MISMATCH',
      /expected MobileNetV2, alpha 0.25, 32 px; found MobileNetV1, alpha 0.25, 32 px/,
    ],
    'a size of another family': [
      { family: 'other', sizes: [64] },
      'MND_MODEL_MISMATCH',
      /expected an input of 64 px; found 32 px/,
    ],
    'other multiply-adds': [
      { family: 'other', multAdds: [1234] },
      'MND_MODEL_MISMATCH',
      /expected 1234 M multiply-adds/,
    ],
  };
  for (const [name, [edit, code, message]] of Object.entries(cases)) {
    const { shelf, dir } = await tinyShelf(t, edit);
    await t.rejects(shelf.pull(['tiny']), { code, message }, name);
    t.strictSame(await readdir(dir), [], `${name}: nothing is left`);
  }
});

t.test('a model that is a part of a file', async (t) => {
  const packed = Buffer.concat([Buffer.from('labels first\n'), MODEL, Buffer.alloc(5)]);
  const range = [13, 13 + MODEL.length];
  const source = (members: object) => ({
    kind: 'file',
    path: 'packed.data',
    archive: 'none',
    sha256: sha256(packed),
    members: [{ path: 'packed.data', ...members }],
  });
  const install = async (members: object) => {
    const { shelf, root } = await sampleShelf(t, [
      tinyEntry(source(members), { forms: ['exact'] }),
    ]);
    await writeFile(join(root, 'catalog', 'packed.data'), packed);
    return shelf.pull(['tiny']);
  };
  const [pulled] = await install({ sha256: sha256(MODEL), range });
  t.match(pulled?.model, { alpha: 0.25, origin: { files: [{ sha256: sha256(MODEL) }] } });
  await t.rejects(install({ sha256: sha256(MODEL), range: [0, 500] }), {
    code: 'MND_MODEL_CHECKSUM',
  });
  await t.rejects(install({ sha256: sha256(MODEL), range: [9, 9] }), {
    code: 'MND_CATALOG_INVALID',
    message: /empty range/,
  });
});

t.test('files that are no model, and labels that do not fit', async (t) => {
  for (const bytes of [
    Buffer.from('hello'),
    MODEL.subarray(0, MODEL.length >> 1),
    Buffer.alloc(100),
  ]) {
    const { shelf, dir } = await tinyShelf(t, {}, {}, bytes);
    await t.rejects(shelf.pull(['tiny']), { code: /^MND_MODEL_(INVALID|TRUNCATED)$/ });
    t.strictSame(await readdir(dir), []);
  }
  for (const [labels, code] of [
    ['one\ntwo\n', 'MND_LABELS_INVALID'],
    ['', 'MND_LABELS_INVALID'],
  ] as const) {
    const { shelf, dir, root } = await tinyShelf(t);
    await writeFile(join(root, 'catalog', 'labels', 'tiny.txt'), labels);
    await t.rejects(shelf.pull(['tiny']), { code });
    t.strictSame(await readdir(dir), []);
  }
});

t.test('whatever fails, what worked before stays', async (t) => {
  let broken: InstallStep | null = null;
  const { shelf, dir, root } = await tinyShelf(
    t,
    { forms: ['exact'] },
    {
      onStep: (step) => {
        if (step === broken) throw new Error(`broken when ${step}`);
      },
    },
  );
  await shelf.pull(['tiny']);
  const before = await readFile(join(dir, 'tiny', 'model.json'), 'utf8');
  for (const step of ['fetched', 'converted', 'verified', 'written'] as const) {
    broken = step;
    await t.rejects(shelf.pull(['tiny'], { forms: ['float32'] }), {
      message: `broken when ${step}`,
    });
    t.equal(await readFile(join(dir, 'tiny', 'model.json'), 'utf8'), before);
    t.strictSame(await readdir(dir), ['tiny']);
  }
  broken = null;
  await writeFile(join(root, 'tiny.tflite'), 'another file');
  await t.rejects(shelf.pull(['tiny'], { forms: ['float32'] }), { code: 'MND_MODEL_CHECKSUM' });
  t.equal((await shelf.resolve(REQUEST)).form, 'exact');
});

t.test('damaged installations are told from whole ones, and repaired', async (t) => {
  const warnings: string[] = [];
  const log = {
    info: () => undefined,
    warn: (_: object, text: string) => void warnings.push(text),
  };
  const { shelf, dir } = await tinyShelf(t, { forms: ['exact'] }, { log });
  await shelf.pull(['tiny']);
  const file = join(dir, 'tiny', 'model.json');
  const record = await readFile(file, 'utf8');
  const edited = (edit: (record: Record<string, unknown>) => void) => {
    const copy = JSON.parse(record);
    edit(copy);
    return JSON.stringify(copy);
  };
  const cases: Readonly<Record<string, readonly [content: string, code: string, message: RegExp]>> =
    {
      'no JSON': ['{', 'MND_MODEL_INVALID', /model.json.*install tiny again/],
      'another schema': [
        edited((r) => Object.assign(r, { schema: 9 })),
        'MND_MODEL_INVALID',
        /\/schema/,
      ],
      'no forms': [edited((r) => Object.assign(r, { forms: {} })), 'MND_MODEL_INVALID', /\/forms/],
      'a file elsewhere': [
        record.replace('model.exact.onnx', '../../../etc/passwd'),
        'MND_MODEL_INVALID',
        /\/forms\/exact\/file/,
      ],
      'another name': [
        edited((r) => Object.assign(r, { name: 'huge' })),
        'MND_MODEL_INVALID',
        /found huge/,
      ],
      'a file that is too short': [
        record.replace(/"bytes": (\d+)/, '"bytes": 1$1'),
        'MND_MODEL_INVALID',
        /expected \d+ bytes/,
      ],
      'another number of classes': [
        record.replace('"classes": 7', '"classes": 8'),
        'MND_LABELS_INVALID',
        /expected 8 labels, one a class; found 7/,
      ],
    };
  for (const [name, [content, code, message]] of Object.entries(cases)) {
    await writeFile(file, content);
    await t.rejects(shelf.resolve({ ...REQUEST, name: 'tiny' }), { code, message }, name);
    const [entry] = await shelf.list();
    t.ok(isCodedError(entry?.problem) && entry.problem.code === code, `${name}: listed`);
  }
  t.strictSame(await shelf.variants(), []);
  t.ok(warnings.length > 0, 'and told to the operator');
  await shelf.pull(['tiny']);
  t.equal((await shelf.resolve(REQUEST)).name, 'tiny', 'pulling repairs');

  await rm(join(dir, 'tiny', 'labels.txt'));
  await t.rejects(shelf.resolve({ ...REQUEST, name: 'tiny' }), { code: 'MND_LABELS_INVALID' });
  await shelf.pull(['tiny']);
  const onnx = join(dir, 'tiny', 'model.exact.onnx');
  const bytes = await readFile(onnx);
  bytes.writeUInt8((bytes[bytes.length >> 1] ?? 0) ^ 1, bytes.length >> 1);
  await writeFile(onnx, bytes);
  t.equal((await shelf.pull(['tiny']))[0]?.fresh, true, 'one flipped bit is seen, too');
  await truncate(onnx, 100);
  await shelf.remove('tiny');
  t.strictSame(await readdir(dir), [], 'what is damaged can be removed');
});

t.test('strangers in the folder are left alone', async (t) => {
  const { shelf, dir } = await tinyShelf(t);
  await mkdir(join(dir, 'Holiday pictures'), { recursive: true });
  await mkdir(join(dir, 'empty'));
  await writeFile(join(dir, 'note.txt'), 'mine');
  const entries = await shelf.list();
  t.strictSame(
    entries.map(({ name }) => name),
    ['tiny', 'finder'],
  );
  t.strictSame(await shelf.installed(), []);
  t.strictSame((await readdir(dir)).sort(), ['Holiday pictures', 'empty', 'note.txt']);
});

t.test('a folder that cannot be made', async (t) => {
  const { shelf } = await tinyShelf(t, {}, { dir: '/dev/null/models' });
  await t.rejects(shelf.pull(['tiny']), { code: 'MND_MODEL_UNWRITABLE', message: /ENOTDIR/ });
  await t.rejects(shelf.list(), { code: 'MND_MODEL_UNWRITABLE', message: /ENOTDIR/ });
});
