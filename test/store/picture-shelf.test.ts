import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
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
  const shelf = new PictureShelf(t.testdir());
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
  await new PictureShelf(state).write('a', jpeg, NOTE);
  t.equal(statSync(join(state, 'pictures')).mode & 0o777, 0o700);
  t.equal(statSync(join(state, 'pictures/a.jpg')).mode & 0o777, 0o600);
});

t.test('an id is no path', async (t) => {
  const shelf = new PictureShelf(t.testdir({ 'secret.jpg': 'x' }));
  for (const id of ['../secret', '', '.', 'a/b', `${'x'.repeat(65)}`]) {
    t.equal(await shelf.read(id), null, id);
    t.notOk(shelf.has(id));
    await t.rejects(shelf.write(id, jpeg, NOTE), id);
  }
});

t.test('what another program left there is no note', async (t) => {
  const state = t.testdir();
  const shelf = new PictureShelf(state);
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
  const shelf = new PictureShelf(state);
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
  const swept = await shelf.sweep(KEEP, exists, now);
  t.match(swept, { removed: 3, kept: 3 });
  t.same(readdirSync(join(state, 'pictures')).sort(), [
    'first.jpg',
    'second.jpg',
    'young-orphan.jpg',
  ]);
  const size = statSync(join(state, 'pictures/second.jpg')).size;
  await shelf.sweep({ days: 7, maxBytes: 2 * size }, () => true, now);
  t.notOk(existsSync(join(state, 'pictures/first.jpg')), 'over the size');
  t.ok(existsSync(join(state, 'pictures/second.jpg')));
});

t.test('a sweep of many pictures lets others have their turn', async (t) => {
  const state = t.testdir();
  const shelf = new PictureShelf(state);
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
  const swept = await shelf.sweep({ days: 7, maxBytes: 1e9 }, exists, Date.now());
  clearInterval(turns);
  t.match(swept, { kept: 2000, removed: 0 });
  t.ok(most <= 100, `${most} questions at a time: never 20 ms`);
});
