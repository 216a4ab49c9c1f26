import { mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { diskError, writeWhole } from '#mobilenetd/taught/crop-files.js';
import { CropShelf } from '#mobilenetd/taught/shelf.js';
import {
  checkLabel,
  labelFolder,
  labelOfFolder,
  taskName,
  taskNamed,
  taskOf,
} from '#mobilenetd/taught/task.js';

const BOUNDS = { maxCrops: 2000, maxBytes: 10_000_000 };
const FRONT = taskOf({ camera: 'front' });
const CATS = taskOf({ of: ['cat'] });

function jpeg(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

t.test('a task has one folder, and a folder one task', (t) => {
  const tasks = [
    taskOf({}),
    FRONT,
    taskOf({ camera: 'front, door=1', zone: 'gate+.zone' }),
    taskOf({ camera: 'Küche', of: ['dog', 'cat'] }),
    CATS,
  ];
  for (const task of tasks) {
    const name = taskName(task);
    t.match(name, /^[\w%=,+-]+$/, name);
    t.same(taskNamed(name), task);
  }
  t.equal(taskName(taskOf({ of: ['b', 'a', 'b'] })), taskName(taskOf({ of: ['a', 'b'] })));
  for (const name of [
    '',
    '.cache',
    'camera=',
    'x=1',
    'zone=gate',
    'of=b+a',
    'camera=%',
    'camera=.',
  ]) {
    t.equal(taskNamed(name), null, name);
  }
  t.throws(() => taskOf({ zone: 'gate' }), { code: 'MND_TEACH_INVALID' });
  t.throws(() => taskOf({ camera: 'a', zone: 'gate', of: ['cat'] }), { code: 'MND_TEACH_INVALID' });
  for (const label of ['gate open', 'Tür', '..', 'a/b', 'CON', 'あ'.repeat(22), '🐈\u200d⬛']) {
    t.equal(labelOfFolder(labelFolder(checkLabel(label))), label);
    t.notMatch(labelFolder(label), /[/.]/);
  }
  t.equal(labelOfFolder(labelFolder(null)), null);
  const unseen = ['\u200b', '\u2066\u2069', '\u0301'];
  const long = ['x'.repeat(61), 'あ'.repeat(23), '\u{1f408}'.repeat(17)];
  for (const label of ['', ' a', 'not', 'a\nb', 'a, b', '\ud800', ...unseen, ...long]) {
    t.throws(() => checkLabel(label), { code: 'MND_TEACH_INVALID' }, JSON.stringify(label));
  }
  for (const of of ['\udc00', 'x'.repeat(201)]) {
    t.throws(() => taskName(taskOf({ of: [of] })), { code: 'MND_TEACH_INVALID' });
  }
  t.end();
});

t.test('one picture is taken out by its file, and nothing else is', async (t) => {
  const folder = t.testdir({ 'mine.jpg': 'mine' });
  const shelf = new CropShelf(folder, BOUNDS);
  const batch = shelf.newBatch(1000);
  const one = await shelf.add(FRONT, null, batch, jpeg('one'));
  const two = await shelf.add(FRONT, null, batch, jpeg('two'));
  for (const file of ['', folder, join(folder, 'mine.jpg'), join(shelf.folder, 'x.jpg')]) {
    await t.rejects(
      shelf.drop(file),
      { code: 'MND_INPUT_MISSING', message: /--report names/ },
      file,
    );
  }
  t.match(await shelf.drop(join(shelf.folder, '.', one.file.slice(shelf.folder.length))), {
    ...{ crops: 1, labels: [null] },
  });
  t.same(
    (await shelf.list()).map(({ id }) => id),
    [two.id],
  );
  t.equal(await readFile(join(folder, 'mine.jpg'), 'utf8'), 'mine');
});

t.test('crops are kept whole, listed, and taken back batch by batch', async (t) => {
  const shelf = new CropShelf(t.testdir(), BOUNDS);
  t.same(await shelf.list(), []);
  t.equal((await shelf.undo()).crops, 0);
  const [first, second] = [shelf.newBatch(1000), shelf.newBatch(2000)];
  t.ok(first < second);
  const kept = await shelf.add(FRONT, 'gate open', first, jpeg('one'));
  await shelf.add(FRONT, 'gate open', first, jpeg('one'));
  await shelf.add(FRONT, null, second, jpeg('two'));
  await shelf.add(CATS, 'Minka', second, jpeg('three'));
  t.equal((await shelf.list()).length, 3, 'the same bytes of one batch are one crop');
  t.equal((await shelf.read(kept)).toString(), 'one');
  t.same((await shelf.undo()).labels, [null, 'Minka']);
  t.same(
    (await shelf.list()).map(({ label }) => label),
    ['gate open'],
  );
  await shelf.add(CATS, 'gate open', second, jpeg('four'));
  t.equal((await shelf.forget('gate open', CATS)).crops, 1);
  t.equal((await shelf.forget('gate open', null)).crops, 1);
  await t.rejects(shelf.forget('gate open', null), { code: 'MND_INPUT_MISSING' });
  t.same(await shelf.list(), []);
});

t.test('the bounds hold, in pictures and in bytes', async (t) => {
  const few = new CropShelf(t.testdir(), { maxCrops: 30, maxBytes: 10_000 });
  // Of all labels together, and of the opposite.
  const labels = ['a', 'b', null];
  for (let n = 0; n < 30; n += 1) {
    await few.add(FRONT, labels[n % 3] as string | null, few.newBatch(n), jpeg(`${n}`));
  }
  const full = { code: 'MND_TEACH_FULL', message: /teach --forget LABEL/ };
  await t.rejects(few.add(FRONT, 'a', few.newBatch(99), jpeg('more')), full);
  t.equal((await few.list()).length, 30);
  await few.undo();
  await few.add(FRONT, 'a', few.newBatch(99), jpeg('more'));
  for (const label of labels) await few.forget(label, FRONT);
  await t.rejects(few.add(FRONT, 'a', few.newBatch(1), new Uint8Array(10_001)), full);
  t.same(await few.list(), []);
});

t.test('what another has added counts', async (t) => {
  const folder = t.testdir();
  const bounds = { maxCrops: 60, maxBytes: 10_000 };
  const [one, two] = [new CropShelf(folder, bounds), new CropShelf(folder, bounds)];
  const batch = one.newBatch(1);
  await one.add(FRONT, 'a', batch, jpeg('first'));
  for (let n = 0; n < 39; n += 1) await two.add(FRONT, 'a', two.newBatch(2), jpeg(`two ${n}`));
  const full = { code: 'MND_TEACH_FULL' };
  const many = async () => {
    for (let n = 0; n < 40; n += 1) await one.add(FRONT, 'a', batch, jpeg(`one ${n}`));
  };
  await t.rejects(many(), full, 'in the middle of a batch');
  t.equal((await one.list()).length, 60);
  await t.rejects(two.add(FRONT, 'a', two.newBatch(3), jpeg('more')), full, 'at its start');
});

t.test('a picture that cannot come into its place leaves nothing', async (t) => {
  const folder = t.testdir({ 'a.jpg': { there: 'already' } });
  await t.rejects(writeWhole(join(folder, 'a.jpg'), jpeg('one')));
  t.same(await readdir(folder), ['a.jpg']);
});

t.test('two who teach at once lose nothing of each other', async (t) => {
  const folder = t.testdir();
  const [one, two] = [new CropShelf(folder, BOUNDS), new CropShelf(folder, BOUNDS)];
  const [a, b] = [one.newBatch(5), two.newBatch(5)];
  t.not(a, b);
  const adding = Array.from({ length: 40 }, (_, n) => [
    one.add(FRONT, 'a', a, jpeg(`one ${n}`)),
    two.add(FRONT, 'a', b, jpeg(`two ${n}`)),
  ]);
  await Promise.all(adding.flat());
  t.equal((await one.list()).length, 80);
  t.equal((await two.removeBatch(b)).crops, 40);
  t.ok((await one.list()).every(({ batch }) => batch === a));
  // Forgetting while the other one adds: every crop is there as a whole or not at all.
  const more = Array.from({ length: 40 }, (_, n) => two.add(FRONT, 'a', b, jpeg(`more ${n}`)));
  await Promise.all([one.forget('a', null), ...more]);
  for (const crop of await one.list())
    t.match((await one.read(crop)).toString(), /^(more|one) \d+$/);
});

t.test('what a kill left is finished or removed, and what is strange is left alone', async (t) => {
  const state = t.testdir();
  const shelf = new CropShelf(state, BOUNDS);
  const batch = shelf.newBatch(1);
  const crop = await shelf.add(FRONT, 'a', batch, jpeg('whole'));
  const other = await shelf.add(FRONT, 'a', shelf.newBatch(2), jpeg('other'));
  const folder = join(crop.file, '..');
  await writeFile(join(folder, `${crop.id}.jpg.00000000.part`), 'hal');
  await writeFile(join(folder, 'fresh.part'), 'hal');
  await utimes(join(folder, `${crop.id}.jpg.00000000.part`), 1, 1);
  // Killed while it took a batch back: none of it counts any more.
  await writeFile(join(shelf.folder, `.gone-${batch}`), '');
  t.same(
    (await shelf.list()).map(({ id }) => id),
    [other.id],
  );
  // Killed while it forgot a label.
  await mkdir(join(shelf.folder, '.gone-abc'));
  await writeFile(join(shelf.folder, '.gone-abc', 'x.jpg'), '');
  // Nobody of ours made these.
  await mkdir(join(shelf.folder, 'holiday'));
  await writeFile(join(shelf.folder, 'holiday', 'x.jpg'), 'x');
  await writeFile(join(folder, 'x.jpg'), 'x');
  await symlink(
    join(shelf.folder, 'nowhere'),
    join(folder, `${crop.id.slice(0, 15)}-0123456789abcdef.jpg`),
  );
  await shelf.tidy(Date.now());
  t.same((await readdir(shelf.folder)).sort(), ['camera=front', 'holiday']);
  t.same(
    (await shelf.list()).map(({ id }) => id),
    [other.id],
  );
  const left = await readdir(folder);
  t.ok(left.includes('x.jpg') && left.includes('fresh.part'));
  t.notOk(left.includes(`${crop.id}.jpg`));
  t.notOk(left.includes(`${crop.id}.jpg.00000000.part`), 'what a write that was killed left');
  t.equal((await readFile(other.file)).toString(), 'other');
});

t.test('a disk that refuses is said, and nothing is left', async (t) => {
  const state = t.testdir({ teach: 'a file' });
  const shelf = new CropShelf(state, BOUNDS);
  await t.rejects(shelf.add(FRONT, 'a', shelf.newBatch(1), jpeg('x')), {
    code: 'MND_TEACH_DISK',
    message: /move away what has the name/,
  });
  t.same(await readdir(state), ['teach']);
});

t.test('what is advised fits what the disk says', (t) => {
  for (const [said, advice] of [
    ['ENOSPC: no space left on device, write', /make room on the disk/],
    ['EDQUOT: disk quota exceeded, write', /make room on the disk/],
    ['EROFS: read-only file system, open', /mount it for writing/],
    ['ENOTDIR: not a directory, mkdir', /move away/],
    ['EACCES: permission denied, open', /found no permission.*sudo -u mobilenetd/],
    ['EIO: i/o error, read', /EIO.*mobilenetd doctor/],
  ] as const) {
    const code = said.slice(0, said.indexOf(':'));
    t.match(diskError('/state/teach', Object.assign(new Error(said), { code })), {
      code: 'MND_TEACH_DISK',
      message: advice,
    });
  }
  t.end();
});
