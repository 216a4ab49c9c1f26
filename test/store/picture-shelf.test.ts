import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { type PictureNote, PictureShelf } from '#mobilenetd/store/picture-shelf.js';

const NOTE: PictureNote = {
  label: 'person',
  score: 0.9,
  time: 1000,
  width: 640,
  height: 480,
  box: [10, 20, 30, 40],
};
const DAY_MS = 86_400_000;
const KEEP = { days: 7, maxBytes: 1e9 };

const jpeg = await sharp({ create: { width: 64, height: 48, channels: 3, background: 'teal' } })
  .jpeg()
  .toBuffer();

t.test('a picture comes back with what it is of, and is a JPEG for everybody else', async (t) => {
  const shelf = new PictureShelf(t.testdir(), KEEP);
  await shelf.write('a-1', jpeg, NOTE);
  const found = await shelf.read('a-1');
  t.same(found?.note, NOTE);
  t.match(await sharp(found?.jpeg).metadata(), { format: 'jpeg', width: 64, height: 48 });
  await shelf.write('a-1', jpeg, { ...NOTE, score: 0.95 });
  t.equal((await shelf.read('a-1'))?.note?.score, 0.95, 'a better one takes its place');
  t.equal(shelf.written, 2 * (found?.jpeg.length ?? 0) + 1, '0.95 is a digit longer');
});

t.test('nobody else reads them', async (t) => {
  const state = t.testdir();
  await new PictureShelf(state, KEEP).write('a', jpeg, NOTE);
  t.equal(statSync(join(state, 'pictures')).mode & 0o777, 0o700);
  t.equal(statSync(join(state, 'pictures/a.jpg')).mode & 0o777, 0o600);
});

t.test('an id is no path', async (t) => {
  const shelf = new PictureShelf(t.testdir({ 'secret.jpg': 'x' }), KEEP);
  for (const id of ['../secret', '', '.', 'a/b', `${'x'.repeat(65)}`]) {
    t.equal(await shelf.read(id), null, id);
    t.notOk(shelf.has(id));
    await t.rejects(shelf.write(id, jpeg, NOTE), id);
  }
});

t.test('what another program left there is no note', async (t) => {
  const state = t.testdir();
  const shelf = new PictureShelf(state, KEEP);
  writeFileSync(join(state, 'pictures/plain.jpg'), jpeg);
  writeFileSync(join(state, 'pictures/short.jpg'), Buffer.from([0xff, 0xd8]));
  writeFileSync(
    join(state, 'pictures/odd.jpg'),
    Buffer.from([0xff, 0xd8, 0xff, 0xfe, 0xff, 0xff, 0x7b]),
  );
  for (const id of ['plain', 'short', 'odd']) t.equal((await shelf.read(id))?.note, null, id);
});

t.test('old, orphaned and too many pictures go, the oldest first', async (t) => {
  const state = t.testdir();
  const shelf = new PictureShelf(state, KEEP);
  const now = Date.now();
  const put = async (id: string, ageMs: number) => {
    await shelf.write(id, jpeg, NOTE);
    const time = (now - ageMs) / 1000;
    utimesSync(join(state, 'pictures', `${id}.jpg`), time, time);
  };
  await put('old', 8 * DAY_MS);
  await put('orphan', DAY_MS);
  await put('young-orphan', 1000);
  await put('first', 3 * DAY_MS);
  await put('second', 2 * DAY_MS);
  writeFileSync(join(state, 'pictures/half.jpg.part'), 'half');
  utimesSync(join(state, 'pictures/half.jpg.part'), 0, 0);
  const exists = (id: string) => !id.includes('orphan');
  const swept = await shelf.sweep(exists, now);
  t.match(swept, { removed: 3, kept: 3 });
  t.same(readdirSync(join(state, 'pictures')).sort(), [
    'first.jpg',
    'second.jpg',
    'young-orphan.jpg',
  ]);
  const size = statSync(join(state, 'pictures/second.jpg')).size;
  await new PictureShelf(state, { days: 7, maxBytes: 2 * size }).sweep(() => true, now);
  t.notOk(existsSync(join(state, 'pictures/first.jpg')), 'over the size');
  t.ok(existsSync(join(state, 'pictures/second.jpg')));
});

t.test('a sweep of many pictures lets others have their turn', async (t) => {
  const state = t.testdir();
  const shelf = new PictureShelf(state, KEEP);
  const long = new Date(Date.now() - 3_600_000);
  for (let each = 0; each < 2000; each += 1) {
    const file = join(state, 'pictures', `e${each}.jpg`);
    writeFileSync(file, 'x');
    utimesSync(file, long, long);
  }
  let asked = 0;
  let most = 0;
  const turns = setInterval(() => {
    asked = 0;
  }, 0);
  /** Takes as long as a slow disk: a fifth of a millisecond. */
  const exists = () => {
    for (const until = performance.now() + 0.2; performance.now() < until; );
    asked += 1;
    most = Math.max(most, asked);
    return true;
  };
  const swept = await shelf.sweep(exists, Date.now());
  clearInterval(turns);
  t.match(swept, { kept: 2000, removed: 0 });
  t.ok(most <= 100, `${most} questions at a time: never 20 ms`);
});

/** Bytes of all files of the shelf now, half written ones too. */
function bytesIn(state: string): number {
  const folder = join(state, 'pictures');
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** A picture of so many bytes on the shelf, behind its note. */
const pictureOf = (bytes: number) => Buffer.concat([jpeg.subarray(0, 2), Buffer.alloc(bytes)]);

t.test('the bound holds after every write, whatever the sizes', async (t) => {
  const state = t.testdir();
  const bounds = { days: 7, maxBytes: 20_000 };
  const shelf = new PictureShelf(state, bounds);
  let most = 0;
  for (let each = 0; each < 200; each += 1) {
    // Every third takes the place of an earlier one, which may have gone by then.
    const id = `e${each % 3 === 2 ? each - 2 : each}`;
    await shelf.write(id, pictureOf(500 + ((each * 7919) % 6000)), NOTE);
    t.ok(shelf.has(id), 'the newest is always there');
    most = Math.max(most, bytesIn(state));
  }
  t.ok(most <= bounds.maxBytes, `${most} bytes at most`);
  t.ok(most > bounds.maxBytes / 2, 'and no more goes than must');
  await t.rejects(shelf.write('huge', pictureOf(20_001), NOTE), /max_size/);
  t.notOk(shelf.has('huge'));
  t.ok(bytesIn(state) > 0, 'what is there does not make room for what cannot be kept');
});

t.test('the bound holds for what an earlier run and others left', async (t) => {
  const state = t.testdir({ pictures: {} });
  for (let each = 0; each < 20; each += 1) {
    const file = join(state, 'pictures', `before${each}.jpg`);
    writeFileSync(file, Buffer.alloc(1000));
    utimesSync(file, 1000 + each, 1000 + each);
  }
  const shelf = new PictureShelf(state, { days: 7, maxBytes: 10_000 });
  await shelf.write('a', pictureOf(900), NOTE);
  t.ok(bytesIn(state) <= 10_000);
  t.ok(existsSync(join(state, 'pictures/before19.jpg')), 'the oldest go');
  t.notOk(existsSync(join(state, 'pictures/before9.jpg')));
  for (let each = 11; each < 20; each += 1) rmSync(join(state, 'pictures', `before${each}.jpg`));
  await shelf.sweep(() => true, 2_000_000);
  for (let each = 0; each < 8; each += 1) await shelf.write(`b${each}`, pictureOf(900), NOTE);
  t.ok(shelf.has('a'), 'what was removed by others makes room after a sweep');
  t.ok(bytesIn(state) <= 10_000);
});

t.test(
  'the bound holds for pictures that are written while it is swept, and at the same time',
  async (t) => {
    const state = t.testdir();
    const shelf = new PictureShelf(state, { days: 7, maxBytes: 30_000 });
    for (let each = 0; each < 20; each += 1) await shelf.write(`a${each}`, pictureOf(1000), NOTE);
    const sweeps = [shelf.sweep(() => true, Date.now()), shelf.sweep(() => true, Date.now())];
    const writes = Array.from({ length: 20 }, (_, each) =>
      shelf.write(`b${each}`, pictureOf(1000), NOTE),
    );
    await shelf.remove('a19');
    await Promise.all([...sweeps, ...writes]);
    await shelf.write('last', pictureOf(1000), NOTE);
    t.ok(bytesIn(state) <= 30_000, `${bytesIn(state)} bytes`);
    t.ok(readdirSync(join(state, 'pictures')).length > 20, 'nothing was counted twice');
    t.same(
      readdirSync(join(state, 'pictures')).filter((name) => name.endsWith('.part')),
      [],
    );
  },
);

t.test('a write that fails leaves no room set aside', async (t) => {
  const state = t.testdir();
  const shelf = new PictureShelf(state, { days: 7, maxBytes: 10_000 });
  await shelf.write('a', pictureOf(1000), NOTE);
  mkdirSync(join(state, 'pictures/b.jpg.part'));
  for (let each = 0; each < 20; each += 1) await t.rejects(shelf.write('b', pictureOf(3000), NOTE));
  await shelf.write('c', pictureOf(3000), NOTE);
  t.ok(shelf.has('a'), 'there is room for both');
});

t.test('while nobody knows what is in the database, no picture is an orphan', async (t) => {
  const state = t.testdir();
  const shelf = new PictureShelf(state, KEEP);
  await shelf.write('a', jpeg, NOTE);
  utimesSync(join(state, 'pictures/a.jpg'), 1, 1);
  t.match(await shelf.sweep(() => null, 2_000_000), { removed: 0, kept: 1 });
  t.match(await shelf.sweep(() => false, 2_000_000), { removed: 1, kept: 0 });
});
