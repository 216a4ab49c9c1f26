// A process of its own: it makes files open slowly.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import fs, { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { type ArchiveLimits, extractMembers } from '#mobilenetd/models/fetch/archive.js';
import { scratchFolder } from '../../scratch-folder.js';
import { buildTar, buildTgz, buildZip, type Member } from '../archives.js';

const MODEL = randomBytes(200_000);
const LABELS = Buffer.from('cat\ndog\n');

interface Wish {
  readonly kind: 'tgz' | 'zip';
  readonly bytes: Uint8Array;
  readonly want?: readonly string[];
  readonly strip?: number;
  readonly limits?: ArchiveLimits;
  readonly signal?: AbortSignal;
}

/** Extracts into a new folder, two levels below one that shows whether anything got out. */
async function extract({ kind, bytes, want = ['model.tflite'], ...options }: Wish) {
  const outside = scratchFolder('archive');
  const archive = join(outside, `archive.${kind}`);
  await writeFile(archive, bytes);
  const folder = await mkdtemp(join(outside, 'in-'));
  const members = want.map((path, index) => ({ path, file: join(folder, `source-${index}`) }));
  const result = extractMembers({ archive, kind, members, ...options });
  const settled = await result.then(
    () => null,
    (error: unknown) => error,
  );
  const files = await readdir(folder);
  const read = await Promise.all(files.sort().map((file) => readFile(join(folder, file))));
  const others = (await readdir(outside)).filter((name) => !/^(archive\.|in-)/.test(name));
  return { error: settled, files: read, others };
}

t.test('takes what is wanted out of both kinds', async (t) => {
  const members = [
    { path: 'readme.txt', data: Buffer.from('hello') },
    { path: './labels.txt', data: LABELS },
    { path: 'model.tflite', data: MODEL },
  ];
  const want = ['model.tflite', 'labels.txt'];
  const tgz = await extract({ kind: 'tgz', bytes: buildTgz(members), want });
  t.equal(tgz.error, null);
  t.strictSame(tgz.files, [MODEL, LABELS]);
  const zipped = members.map(({ path, data }) => ({ path: path.replace('./', ''), data }));
  const zip = await extract({ kind: 'zip', bytes: buildZip(zipped), want });
  t.equal(zip.error, null);
  t.strictSame(zip.files, [MODEL, LABELS]);
});

t.test('npm tarballs: the first folder may have any name', async (t) => {
  const bytes = buildTgz([
    { path: 'whatever/', type: 'Directory' },
    { path: 'whatever/models/model.tflite', data: MODEL },
  ]);
  const { error, files } = await extract({
    kind: 'tgz',
    bytes,
    want: ['models/model.tflite'],
    strip: 1,
  });
  t.equal(error, null);
  t.strictSame(files, [MODEL]);
});

const model: Member = { path: 'model.tflite', data: MODEL };

t.test('archives that attack', async (t) => {
  const evil = Buffer.from('evil');
  const cases: Readonly<Record<string, readonly [members: readonly Member[], found: RegExp]>> = {
    'a name that climbs': [[{ path: '../../evil', data: evil }, model], /"\.\.\/\.\.\/evil"/],
    'a name that climbs inside': [[{ path: 'a/../../evil', data: evil }, model], /a\/\.\./],
    'an absolute name': [[{ path: '/tmp/evil', data: evil }, model], /"\/tmp\/evil"/],
    'a symbolic link in the place of the model': [
      [{ path: 'model.tflite', type: 'SymbolicLink', linkpath: '/etc/passwd' }],
      /expected a file "model.tflite"; found a link or a folder/,
    ],
    'a hard link in the place of the model': [
      [{ path: 'model.tflite', type: 'Link', linkpath: '/etc/passwd' }],
      /a link or a folder/,
    ],
    'a device in the place of the model': [
      [{ path: 'model.tflite', type: 'CharacterDevice' }],
      /a link or a folder/,
    ],
    'the model twice': [[model, { path: './model.tflite', data: evil }], /once; found twice/],
    'no model': [
      [{ path: 'other.tflite', data: MODEL }],
      /a file "model.tflite" in it; found none/,
    ],
    'an empty archive': [[], /model.tflite|archive/],
  };
  for (const [name, [members, message]] of Object.entries(cases)) {
    const { error, others } = await extract({ kind: 'tgz', bytes: buildTgz(members) });
    t.match(error, { code: 'MND_ARCHIVE_INVALID', message }, name);
    t.strictSame(others, [], `${name}: nothing got out`);
  }
  t.equal(existsSync('/tmp/evil'), false);
});

t.test('zip archives that attack', async (t) => {
  const data = Buffer.from('evil');
  const cases: Readonly<Record<string, readonly [bytes: Uint8Array, found: RegExp]>> = {
    'a name that climbs': [buildZip([{ path: '../evil', data }]), /evil/],
    'an absolute name': [buildZip([{ path: '/tmp/evil', data }]), /evil/],
    backslashes: [buildZip([{ path: '..\\evil', data }]), /evil/],
    'a symbolic link': [
      buildZip([{ path: 'model.tflite', data: Buffer.from('/etc/passwd'), mode: 0o120777 }]),
      /a link or a folder/,
    ],
    'more data than it says': [
      buildZip([{ path: 'model.tflite', data: Buffer.alloc(1_000_000), size: 10 }]),
      /size|bytes/,
    ],
    'an encrypted file': [buildZip([{ path: 'model.tflite', data, encrypted: true }]), /encrypted/],
    'no zip at all': [randomBytes(1000), /archive/],
    nothing: [new Uint8Array(), /archive/],
  };
  for (const [name, [bytes, message]] of Object.entries(cases)) {
    const { error, others } = await extract({ kind: 'zip', bytes });
    t.match(error, { code: 'MND_ARCHIVE_INVALID', message }, name);
    t.strictSame(others, [], `${name}: nothing got out`);
  }
});

t.test('a stream that breaks while its file is opened is an error, and no crash', async (t) => {
  const { open } = fs;
  t.teardown(() => {
    fs.open = open;
    syncBuiltinESMExports();
  });
  // As on a busy disk.
  fs.open = async (...args) => {
    await delay(100);
    return open(...args);
  };
  syncBuiltinESMExports();
  const data = Buffer.alloc(1_000_000);
  const cases: Readonly<Record<string, Uint8Array>> = {
    'more data than it says': buildZip([{ path: 'model.tflite', data, size: 10 }]),
    'less data than it says': buildZip([{ path: 'model.tflite', data, size: 2_000_000 }]),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const limits = { memberBytes: 3_000_000, totalBytes: 3_000_000, entries: 20 };
    const { error } = await extract({ kind: 'zip', bytes, limits });
    t.match(error, { code: 'MND_ARCHIVE_INVALID' }, name);
  }
});

const LIMITS: ArchiveLimits = { memberBytes: 1_000_000, totalBytes: 3_000_000, entries: 20 };

t.test('bombs are bounded', async (t) => {
  const zeros = Buffer.alloc(2_000_000);
  const many = Array.from({ length: 30 }, (_, index) => ({ path: `file ${index}`, data: LABELS }));
  const cases: Readonly<Record<string, Wish>> = {
    'a large model': { kind: 'tgz', bytes: buildTgz([{ path: 'model.tflite', data: zeros }]) },
    'a large other file': {
      kind: 'tgz',
      bytes: buildTgz([{ path: 'other', data: Buffer.alloc(5_000_000) }, model]),
    },
    'many files': { kind: 'tgz', bytes: buildTgz([...many, model]) },
    'a large model, zipped': {
      kind: 'zip',
      bytes: buildZip([{ path: 'model.tflite', data: zeros }]),
    },
    'many files, zipped': { kind: 'zip', bytes: buildZip(many) },
  };
  for (const [name, wish] of Object.entries(cases)) {
    const { error } = await extract({ ...wish, limits: LIMITS });
    t.match(error, { code: 'MND_MODEL_TOO_LARGE' }, name);
  }
  // A header that claims a size is refused before a byte of it is unpacked.
  const claimed = buildTar([{ path: 'model.tflite', size: 2 ** 32 }], false);
  const { error } = await extract({ kind: 'tgz', bytes: gzipSync(claimed) });
  t.match(error, { code: 'MND_MODEL_TOO_LARGE' });
});

t.test('damaged archives', async (t) => {
  const whole = buildTgz([model]);
  for (const length of [0, 1, 10, 100, 1000, whole.length >> 1, whole.length - 1]) {
    const { error } = await extract({ kind: 'tgz', bytes: whole.subarray(0, length) });
    t.match(error, { code: 'MND_ARCHIVE_INVALID' }, `cut after ${length} bytes`);
  }
  const cut = gzipSync(buildTar([model], false).subarray(0, 100_000));
  t.match((await extract({ kind: 'tgz', bytes: cut })).error, { code: 'MND_ARCHIVE_INVALID' });
  t.match((await extract({ kind: 'tgz', bytes: randomBytes(5000) })).error, {
    code: 'MND_ARCHIVE_INVALID',
  });
  const noTar = await extract({ kind: 'tgz', bytes: gzipSync(randomBytes(5000)) });
  t.match(noTar.error, { code: 'MND_ARCHIVE_INVALID' });
  const zip = buildZip([{ path: 'model.tflite', data: MODEL }]);
  t.match((await extract({ kind: 'zip', bytes: zip.subarray(0, 5000) })).error, {
    code: 'MND_ARCHIVE_INVALID',
  });
});

t.test('can be stopped', async (t) => {
  const reason = new Error('stop');
  for (const kind of ['tgz', 'zip'] as const) {
    const bytes =
      kind === 'tgz' ? buildTgz([model]) : buildZip([{ path: 'model.tflite', data: MODEL }]);
    const { error } = await extract({ kind, bytes, signal: AbortSignal.abort(reason) });
    t.equal(error, reason, kind);
  }
});
