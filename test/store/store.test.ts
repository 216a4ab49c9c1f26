import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import SQLite from 'better-sqlite3';
import t from 'tap';
import { MIGRATIONS } from '#mobilenetd/store/migrations.js';
import { openForReading } from '#mobilenetd/store/reading.js';
import { endOf, openStore } from '#mobilenetd/store/store.js';
import { createTime, event, message, result, START, setup } from './sample-store.js';

const ALL = { limit: 1e6 };
const NO_EVENTS = new Map<string, string>();

t.test('an event and its messages are on disk when recordEvents returns', async (t) => {
  const { file, open } = setup(t);
  const store = open();
  t.equal(store.recordEvents([event()], [message('one')]), true);
  const reader = openForReading(file);
  t.equal(reader.prepare('SELECT count(*) FROM event').pluck().get(), 1);
  t.equal(reader.prepare('SELECT count(*) FROM outbox').pluck().get(), 1);
  reader.close();
  store.close();
});

t.test('a network without α has none in the database', async (t) => {
  const { open } = setup(t);
  const store = open();
  store.recordEvents([event({ alpha: null }), event({ id: 'e2', alpha: 0.5 })], []);
  store.recordResult({ ...result(START, [['cat', 0.9]]), alpha: null }, NO_EVENTS);
  store.recordResult({ ...result(START + 5000, [['cat', 0.9]]), alpha: null }, NO_EVENTS);
  store.flush();
  t.strictSame(
    [...store.events(ALL)].map(({ alpha }) => alpha),
    [null, 0.5],
  );
  t.strictSame(
    [...store.detections(ALL)].map(({ alpha }) => alpha),
    [null, null],
  );
  store.close();
});

t.test('new, update and end of one event are one row', async (t) => {
  const { time, open } = setup(t);
  const store = open();
  store.recordEvents([event()], []);
  store.recordEvents([event({ type: 'update', score: 0.9, box: [5, 6, 7, 8], count: 2 })], []);
  t.equal(store.openEvents().length, 1);
  const end = event({ type: 'end', score: 0.9, end: START + 5000, box: null, count: 2 });
  store.recordEvents([end], []);
  t.same([...store.events(ALL)], [end]);
  t.same(store.openEvents(), []);
  t.same([...store.events({ ...ALL, since: START + 1 })], [end], 'its stay reaches into the time');
  t.same([...store.events({ ...ALL, since: START + 5001 })], []);
  t.same([...store.events({ ...ALL, until: START })], []);
  store.close();
  t.equal(time.pending(), 0, 'no timer is left behind');
});

t.test('events left open by a killed daemon end when last seen', async (t) => {
  const { time, open } = setup(t);
  const first = open();
  first.recordEvents([event()], []);
  first.recordResult(result(START + 7000, [['person', 0.7]]), new Map([['person', 'e1']]));
  first.flush();
  // No close: the process was killed.
  time.advance(60_000);
  const second = open();
  const [left] = second.openEvents();
  if (left === undefined) throw new Error('the open event is missing');
  t.equal(left.seen, START + 7000);
  t.same(endOf(left), event({ type: 'end', end: START + 7000 }));
  second.close();
  first.close();
});

t.test('at most one detection per label and interval, the best object of its frame', async (t) => {
  const { open } = setup(t);
  const store = open();
  for (let ms = 0; ms <= 3000; ms += 100) {
    const labels: [string, number][] = [
      ['person', 0.5],
      ['person', 0.7],
      ['dog', 0.6],
    ];
    store.recordResult(result(START + ms, labels), NO_EVENTS);
  }
  store.recordResult(result(START + 100, [['person', 0.3]], 'back'), NO_EVENTS);
  store.flush();
  const rows = [...store.detections({ ...ALL, camera: 'front' })];
  t.same(
    rows.filter((row) => row.label === 'person').map((row) => [row.time - START, row.score]),
    [
      [0, 0.7],
      [1000, 0.7],
      [2000, 0.7],
      [3000, 0.7],
    ],
  );
  t.equal(rows.length, 8);
  t.equal([...store.detections({ ...ALL, camera: 'back' })].length, 1);
  store.close();
});

t.test('a picture that does not change is noted once, then what it says anew', async (t) => {
  const { open } = setup(t);
  const store = open();
  const ids = new Map([['person', 'e1']]);
  const look = (seconds: number, score: number, label = 'person') =>
    store.recordResult(result(START + seconds * 1000, [[label, score]]), ids, true);
  store.recordResult(result(START, [['person', 0.7]]), NO_EVENTS);
  look(10, 0.7); // its event has begun
  look(20, 0.72);
  look(30, 0.65);
  look(40, 0.9);
  look(50, 0.5, 'dog');
  look(60, 0.9);
  store.recordResult(result(START + 70_000, [['person', 0.9]]), ids); // something moves
  look(80, 0.9);
  look(670, 0.9);
  store.flush();
  t.same(
    [...store.detections(ALL)].map((row) => (row.time - START) / 1000).sort((a, b) => a - b),
    [0, 10, 40, 50, 70, 670],
  );
  store.close();
});

t.test(
  'variants that take turns on a picture that does not change are noted once each',
  async (t) => {
    const { open } = setup(t);
    const store = open();
    const ids = new Map([['person', 'e1']]);
    for (let look = 0; look < 20; look += 1) {
      const at = result(START + look * 10_000, [['person', look % 2 === 0 ? 0.7 : 0.4]]);
      store.recordResult({ ...at, size: look % 2 === 0 ? 224 : 128 }, ids, true);
    }
    store.flush();
    t.same(
      [...store.detections(ALL)].map((row) => row.size).sort((a, b) => a - b),
      [128, 224],
    );
    store.close();
  },
);

t.test('labels below minScore are kept only while their event lasts', async (t) => {
  const { open } = setup(t, { minScore: 0.5 });
  const store = open();
  store.recordEvents([event()], []);
  store.recordResult(
    result(START, [
      ['person', 0.2],
      ['dog', 0.3],
    ]),
    new Map([['person', 'e1']]),
  );
  store.flush();
  t.match([...store.detections(ALL)], [{ label: 'person', event: 'e1' }]);
  t.equal([...store.detections(ALL)].length, 1);
  store.close();
});

t.test('detections are committed every commit interval, not before', async (t) => {
  const { file, time, open } = setup(t);
  const store = open();
  const reader = openForReading(file);
  const count = reader.prepare('SELECT count(*) FROM detection').pluck();
  store.recordResult(result(START, [['person', 0.7]]), NO_EVENTS);
  time.advance(1999);
  t.equal(count.get(), 0);
  time.advance(1);
  t.equal(count.get(), 1);
  reader.close();
  store.close();
});

t.test('the outbox keeps order, and a message until it was acknowledged', async (t) => {
  const { open } = setup(t);
  let added = 0;
  const store = open();
  store.outbox.onAdded(() => added++);
  for (const text of ['a', 'b', 'c']) store.recordEvents([event({ id: text })], [message(text)]);
  t.equal(added, 3);
  const batch = store.outbox.next(2);
  t.same(
    batch.map((row) => Buffer.from(row.payload).toString()),
    ['a', 'b'],
  );
  t.match(batch[0], { topic: 'base/node/front/events', qos: 1, retain: false, created: START });
  store.outbox.acknowledge(batch[0]?.id ?? -1);
  t.equal(store.outbox.depth(), 2);
  t.same(
    store.outbox.next(9).map((row) => Buffer.from(row.payload).toString()),
    ['b', 'c'],
  );
  t.equal(store.outbox.next(9, batch[1]?.id).length, 1, 'beyond a given id');
  store.close();
  const again = open();
  t.equal(again.outbox.depth(), 2, 'acknowledgements are kept');
  again.close();
});

t.test('the outbox is bounded by rows and by age, and counts what it drops', async (t) => {
  const { time, open } = setup(t, { outbox: { maxAge: 60, maxRows: 10 } });
  const store = open();
  for (let i = 0; i < 25; i++) {
    store.recordEvents([event({ id: `e${i}` })], [message(`${i}`)]);
    time.advance(1000);
  }
  t.equal(store.outbox.depth(), 10);
  t.equal(store.outbox.dropped(), 15);
  t.equal(Buffer.from(store.outbox.next(1)[0]?.payload ?? []).toString(), '15');
  time.advance(55_500);
  t.equal(Buffer.from(store.outbox.next(1)[0]?.payload ?? []).toString(), '21', 'older are gone');
  t.equal(store.outbox.dropped(), 21);
  t.equal([...store.events(ALL)].length, 25, 'the events themselves stay');
  store.close();
});

t.test('setting a board clock from 1970 does not expire its messages', async (t) => {
  const time = createTime(1000);
  const { open } = setup(t, { clock: time.clock });
  const store = open();
  store.recordEvents([event()], [message('early')]);
  time.set(START);
  time.advance(5000);
  t.equal(store.outbox.next(1).length, 1);
  t.equal(store.outbox.dropped(), 0);
  store.close();
});

t.test('retention by age spares what has not ended', async (t) => {
  const day = 86_400_000;
  const { time, open } = setup(t, { retention: { days: 1, maxBytes: 1e9 } });
  const store = open();
  store.recordEvents(
    [event({ id: 'open' }), event({ id: 'old', end: START + 1, type: 'end' })],
    [],
  );
  for (let i = 0; i < 3000; i++) {
    store.recordResult(result(START + i * 1000, [['person', 0.5]]), NO_EVENTS);
  }
  store.flush();
  time.advance(1.1 * day);
  store.recordEvents([event({ id: 'fresh', start: time.clock.wall() })], []);
  t.same(
    [...store.events(ALL)].map((row) => row.id),
    ['open', 'fresh'],
    'the ten-minute sweep did it',
  );
  t.same([...store.detections(ALL)], []);
  t.same(store.sweep(), { detections: 0, events: 0, messages: 0, more: false });
  store.close();
});

t.test('what can be tuned changes while the store is open', async (t) => {
  const { time, open, options } = setup(t);
  const store = open();
  const see = () => {
    store.recordResult(result(time.clock.wall(), [['person', 0.5]]), NO_EVENTS);
    time.advance(1000);
  };
  for (let i = 0; i < 10; i++) see();
  store.flush();
  t.equal([...store.detections(ALL)].length, 10);
  const retention = { days: 1, maxBytes: 1e9 };
  store.configure({ ...options, retention, detectionInterval: 5, commitInterval: 60 });
  for (let i = 0; i < 10; i++) see();
  t.equal([...store.detections(ALL)].length, 10, 'commits are rarer');
  store.flush();
  t.equal([...store.detections(ALL)].length, 12, 'and so are detections');
  time.advance(2 * 86_400_000);
  t.same([...store.detections(ALL)], [], 'retention is shorter');
  store.close();
});

t.test('retention by size removes the oldest first and gives the space back', async (t) => {
  const { file, time, open } = setup(t, { retention: { days: 30, maxBytes: 800_000 } });
  const store = open();
  for (let i = 0; i < 20_000; i++) {
    store.recordResult(result(START + i * 1000, [['person', 0.5]]), NO_EVENTS);
    if (i % 5000 === 4999) store.flush();
  }
  const before = [...store.detections(ALL)].length;
  time.advance(60_000);
  const rows = [...store.detections(ALL)];
  t.equal(before, 20_000);
  t.ok(rows.length > 2000 && rows.length < 10_000, `${rows.length} rows are left`);
  t.equal(rows.at(-1)?.time, START + 19_999_000, 'the newest stay');
  store.close();
  const database = new SQLite(file);
  const pages = Number(database.pragma('page_count', { simple: true }));
  const free = Number(database.pragma('freelist_count', { simple: true }));
  t.ok((pages - free) * 4096 <= 400_000);
  database.close();
});

t.test('queries filter, bound and order', async (t) => {
  const { open } = setup(t);
  const store = open();
  for (let i = 0; i < 1200; i++) {
    store.recordResult(result(START + i * 1000, [[i % 2 ? 'cat' : 'dog', 0.5]]), NO_EVENTS);
  }
  store.flush();
  const times = [...store.detections({ limit: 700 })].map((row) => row.time);
  t.equal(times.length, 700);
  t.same(
    times,
    [...times].sort((a, b) => a - b),
    'oldest first',
  );
  t.equal(times.at(-1), START + 1_199_000, 'of the newest');
  t.equal([...store.detections({ ...ALL, label: 'cat' })].length, 600);
  t.equal(
    [...store.detections({ ...ALL, since: START + 10_000, until: START + 20_000 })].length,
    10,
  );
  t.equal([...store.detections({ ...ALL, camera: 'nowhere' })].length, 0);
  t.equal([...store.detections({ limit: 0 })].length, 0);
  store.close();
});

t.test('rows of one moment are neither lost nor doubled at a page', async (t) => {
  const { open } = setup(t);
  const store = open();
  const labels = Array.from({ length: 1300 }, (_, i): [string, number] => [`label ${i}`, 0.5]);
  store.recordResult(result(START, labels), NO_EVENTS);
  store.flush();
  t.equal(new Set([...store.detections(ALL)].map((row) => row.label)).size, 1300);
  t.equal([...store.detections({ limit: 555 })].length, 555);
  store.close();
});

t.test('labels and cameras are data, never SQL', async (t) => {
  const { open } = setup(t);
  const store = open();
  const names = [
    `'; DROP TABLE event; --`,
    `" OR 1=1 --`,
    `%_\\`,
    `null\u0000byte`,
    'ünïcödé 🦊',
    '',
    '__proto__',
  ];
  names.forEach((name, i) => {
    const id = `${name}${i}`;
    store.recordEvents([event({ id, label: name, camera: name })], [message(name)]);
    store.recordResult(result(START + i, [[name, 0.5]], name), new Map([[name, id]]));
  });
  store.flush();
  for (const name of names) {
    const query = { ...ALL, label: name, camera: name };
    t.match([...store.events(query)], [{ label: name, camera: name }]);
    t.equal([...store.detections(query)].length, 1);
  }
  t.equal([...store.events(ALL)].length, names.length);
  store.close();
});

t.test('a damaged database is set aside, loudly, and a fresh one begun', async (t) => {
  const { file, log, open } = setup(t);
  const first = open();
  for (let i = 0; i < 3000; i++) {
    first.recordResult(result(START + i * 1000, [[`label ${i}`, 0.5]]), NO_EVENTS);
  }
  first.close();
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 4096 * 3, 4096 * 20);
  writeFileSync(file, bytes);
  t.throws(() => {
    const reader = openForReading(file);
    try {
      return [...reader.prepare('SELECT * FROM detection').all()];
    } finally {
      reader.close();
    }
  });
  const store = open();
  t.equal(store.recordEvents([event()], [message('x')]), true);
  t.match(log.lines, [{ level: 'error', message: /damaged.*set aside as .*corrupt-/ }]);
  const kept = readdirSync(join(file, '..')).filter((name) => name.includes('.corrupt-'));
  t.equal(kept.length, 1);
  const old = readFileSync(join(file, '..', kept[0] ?? ''));
  t.ok(old.subarray(4096).equals(bytes.subarray(4096)), 'what it had is kept');
  store.close();
});

t.test('a file that is no database at all, or cut short, is set aside', async (t) => {
  for (const spoil of [
    (file: string) => writeFileSync(file, 'this is not a database'.repeat(100)),
    (file: string) => truncateSync(file, 5000),
  ]) {
    const { file, log, open } = setup(t, { file: join(t.testdir(), 'mobilenetd.db') });
    open().close();
    spoil(file);
    const store = open();
    t.equal(store.recordEvents([event()], []), true);
    t.equal(log.lines.filter((line) => line.level === 'error').length, 1);
    store.close();
  }
});

t.test('no more than three damaged files are kept', async (t) => {
  const dir = t.testdir();
  for (let i = 0; i < 5; i++) {
    const { file, open } = setup(t, {
      file: join(dir, 'mobilenetd.db'),
      clock: createTime(START + i * 1000).clock,
    });
    writeFileSync(file, `no database ${i} `.repeat(50));
    open().close();
  }
  const kept = readdirSync(dir).filter((name) => name.includes('.corrupt-'));
  t.equal(kept.length, 3);
  t.match(readFileSync(join(dir, kept.sort().at(-1) ?? ''), 'utf8'), /^no database 4/);
});

t.test('damage found while running starts a fresh database, and new ids stay new', async (t) => {
  const { file, time, log, open } = setup(t);
  const store = open();
  for (let i = 0; i < 50; i++) store.recordEvents([event({ id: `a${i}` })], [message(`${i}`)]);
  const before = store.outbox.next(100).at(-1)?.id ?? 0;
  time.advance(31_000);
  // A write from outside makes the store read its pages anew.
  const outsider = new SQLite(file);
  outsider.exec('CREATE TABLE outside (x)');
  outsider.close();
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 4096);
  writeFileSync(file, bytes);
  let tries = 0;
  while (!store.recordEvents([event({ id: `b${tries}` })], [message('after')]) && tries < 5) {
    tries++;
    time.advance(5001);
  }
  t.ok(store.health().writable);
  t.ok(log.lines.some((line) => /set aside/.test(line.message)));
  const after = store.outbox.next(100);
  t.ok((after[0]?.id ?? 0) > before, 'ids go on');
  const recorded = new Set([...store.events(ALL)].map((row) => row.id));
  for (let n = 0; n <= tries; n += 1)
    t.ok(recorded.has(`b${n}`), 'events that waited are recorded');
  for (let n = 0; n < 50; n += 1) t.ok(recorded.has(`a${n}`), 'and so are recent ones');
  store.close();
});

t.test('a database of a newer version is refused and left alone', async (t) => {
  const { file, open } = setup(t);
  open().close();
  const database = new SQLite(file);
  database.pragma('user_version = 99');
  database.close();
  const before = readFileSync(file);
  t.throws(open, { code: 'MND_STORE_NEWER', exitCode: 1 });
  t.throws(() => openForReading(file), { code: 'MND_STORE_NEWER' });
  t.ok(readFileSync(file).equals(before));
});

t.test("another program's database is refused and left alone", async (t) => {
  const { file, open } = setup(t);
  const database = new SQLite(file);
  database.exec('CREATE TABLE theirs (x)');
  database.close();
  const before = readFileSync(file);
  t.throws(open, { code: 'MND_STORE_OPEN' });
  t.ok(readFileSync(file).equals(before));
});

t.test('a folder that cannot be made is an error at the start', async (t) => {
  const dir = t.testdir({ occupied: 'a file' });
  const { open } = setup(t, { file: join(dir, 'occupied', 'mobilenetd.db') });
  t.throws(open, { code: 'MND_STORE_OPEN', message: /state_dir/ });
});

t.test(
  'a database of the first published schema is brought up to date, after a copy',
  async (t) => {
    const { file, options, open } = setup(t);
    const old = new SQLite(file);
    // What is on boards never changes, so this file never does.
    old.exec(readFileSync('test/fixtures/store/schema-v1.sql', 'utf8'));
    old.exec(
      `INSERT INTO camera VALUES (1, 'front'); INSERT INTO label VALUES (1, 'cat');
     INSERT INTO variant VALUES (1, 'ssd', 1, 300);
     INSERT INTO event VALUES (1, 'e1', 'new', 1, 1, 1, 0.5, ${START}, NULL, 1, 0, 0, 9, 9, ${START})`,
    );
    old.close();
    const store = open();
    t.match(
      [...store.events(ALL)],
      [{ id: 'e1', camera: 'front', label: 'cat', box: [0, 0, 9, 9] }],
    );
    t.equal(store.recordEvents([event({ id: 'e2' })], [message('x')]), true);
    t.equal(store.settings.set('pin', 'auto'), true);
    store.close();
    const copy = new SQLite(`${file}.v1`, { readonly: true });
    t.equal(copy.pragma('user_version', { simple: true }), 1);
    t.equal(copy.prepare('SELECT count(*) FROM event').pluck().get(), 1);
    copy.close();

    const before = statSync(`${file}.v1`).mtimeMs;
    open().close();
    t.equal(statSync(`${file}.v1`).mtimeMs, before, 'nothing to migrate, no copy');
    const later = [...MIGRATIONS, 'ALTER TABLE camera ADD COLUMN note TEXT'];
    openStore({ ...options, migrations: later }).close();
    const now = new SQLite(file, { readonly: true });
    t.equal(now.pragma('user_version', { simple: true }), later.length);
    t.same(now.prepare('SELECT name, note FROM camera').all(), [{ name: 'front', note: null }]);
    now.close();
    t.ok(existsSync(`${file}.v${MIGRATIONS.length}`));
  },
);

t.test('settings are kept', async (t) => {
  const { open } = setup(t);
  const first = open();
  t.equal(first.settings.get('pin'), null);
  first.settings.set('pin', 'a');
  first.settings.set('pin', `it's "b"`);
  first.settings.set('gone', 'x');
  first.settings.set('gone', null);
  first.close();
  const second = open();
  t.equal(second.settings.get('pin'), `it's "b"`);
  t.same([...second.settings.all()], [['pin', `it's "b"`]]);
  second.close();
});

t.test('a migration that fails changes nothing', async (t) => {
  const { file, log, options, open } = setup(t);
  open().close();
  const broken = [...MIGRATIONS, 'CREATE TABLE half (x); SELECT nonsense FROM nowhere'];
  const store = openStore({ ...options, migrations: broken });
  t.equal(store.health().writable, false);
  t.match(log.lines.at(-1), { level: 'error' });
  store.close();
  const database = new SQLite(file, { readonly: true });
  t.equal(database.pragma('user_version', { simple: true }), MIGRATIONS.length);
  t.equal(
    database.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").pluck().get(),
    0,
  );
  database.close();
});

t.test('a disk that fails is survived: events wait, detections are counted', async (t) => {
  const { file, time, log, open } = setup(t);
  const store = open();
  store.recordEvents([event({ id: 'before' })], [message('before')]);
  const saboteur = new SQLite(file);
  saboteur.exec('CREATE TRIGGER fault BEFORE INSERT ON event BEGIN SELECT * FROM nowhere; END');
  saboteur.close();
  t.equal(store.recordEvents([event({ id: 'during' })], [message('during')]), false);
  store.recordResult(result(START, [['person', 0.7]]), NO_EVENTS);
  time.advance(3000);
  t.match(store.health(), { writable: false, waiting: 1, dropped: { detections: 1, events: 0 } });
  for (let i = 0; i < 400; i++) store.recordEvents([event({ id: `w${i}` })], []);
  t.match(store.health(), { waiting: 256, dropped: { events: 145 } });
  t.ok(log.lines.filter((line) => line.level === 'error').length <= 2, 'reported once a minute');
  const repair = new SQLite(file);
  repair.exec('DROP TRIGGER fault');
  repair.close();
  let announced = 0;
  store.outbox.onAdded(() => announced++);
  time.advance(5001);
  t.match(store.health(), { writable: true, error: null, waiting: 0 });
  t.equal(announced, 1);
  t.equal([...store.events(ALL)].length, 257);
  store.close();
});

t.test('a full disk does not throw; what is there can be read', async (t) => {
  const full = [MIGRATIONS.join(';'), 'PRAGMA max_page_count = 40'];
  const { log, open } = setup(t, { migrations: full });
  const store = open();
  let recorded = 0;
  while (store.recordEvents([event({ id: `e${recorded}` })], [message('x'.repeat(1000))])) {
    recorded++;
  }
  t.ok(recorded > 10, `${recorded} events fit`);
  t.match(store.health(), { writable: false, error: /full/, waiting: 1 });
  t.match(log.lines, [{ level: 'error', message: /cannot be written.*full/ }]);
  store.close();
  t.match(store.health(), { dropped: { events: 1 } });
});

t.test('a row that no schema takes is dropped, what is around it is kept', async (t) => {
  const { open } = setup(t);
  const store = open();
  store.recordResult(result(START, [['person', Number.NaN]]), NO_EVENTS);
  t.equal(store.recordEvents([event({ id: 'good' })], [message('good')]), true);
  t.equal(store.recordEvents([event({ id: 'bad', score: Number.NaN })], [message('bad')]), true);
  t.equal(store.recordEvents([event({ id: 'later' })], [message('later')]), true);
  t.same(
    [...store.events(ALL)].map((row) => row.id),
    ['good', 'later'],
  );
  t.equal(store.outbox.depth(), 2, 'no message without its event');
  t.match(store.health(), { writable: true, dropped: { detections: 1, events: 1 } });
  store.close();
});

t.test(
  'a read-only database does not throw, and is written again when it can be',
  { skip: process.getuid?.() === 0 ? 'root may write read-only files' : false },
  async (t) => {
    const { file, time, open } = setup(t);
    open().close();
    chmodSync(file, 0o444);
    const store = open();
    t.equal(store.recordEvents([event()], []), false);
    chmodSync(file, 0o644);
    time.advance(5001);
    t.equal(store.health().writable, true);
    t.equal([...store.events(ALL)].length, 1);
    store.close();
  },
);

t.test('a path that is a folder does not throw, and is used when it is gone', async (t) => {
  const dir = t.testdir({ 'mobilenetd.db': {} });
  const { file, time, log, open } = setup(t, { file: join(dir, 'mobilenetd.db') });
  const store = open();
  t.equal(store.recordEvents([event()], [message('x')]), false);
  t.match(log.lines, [{ level: 'error', message: /cannot be written/ }]);
  t.same([...store.events(ALL)], []);
  t.same(store.openEvents(), []);
  t.same(store.outbox.next(5), []);
  const { rmdirSync } = await import('node:fs');
  rmdirSync(file);
  time.advance(5001);
  t.match(store.health(), { writable: true, waiting: 0 });
  t.equal(store.outbox.depth(), 1);
  store.close();
});

t.test('the write-ahead log is emptied when idle and gone after close', async (t) => {
  const { file, time, open } = setup(t);
  const store = open();
  store.recordEvents([event()], []);
  t.ok(statSync(`${file}-wal`).size > 0);
  time.advance(20_000);
  store.recordEvents([event({ id: 'e2' })], []);
  time.advance(20_000);
  t.ok(statSync(`${file}-wal`).size > 0, 'not while it is being written');
  time.advance(11_000);
  t.equal(statSync(`${file}-wal`).size, 0);
  store.close();
  store.close();
  t.notOk(existsSync(`${file}-wal`));
  t.equal(store.recordEvents([event()], []), false, 'closed');
  store.recordResult(result(START, [['x', 1]]), NO_EVENTS);
});

t.test('incremental vacuum is on from the first table', async (t) => {
  const { file, open } = setup(t);
  open().close();
  const database = new SQLite(file, { readonly: true });
  t.equal(database.pragma('auto_vacuum', { simple: true }), 2);
  t.equal(database.pragma('journal_mode', { simple: true }), 'wal');
  database.close();
});

t.test('reading a database that is not there says so', async (t) => {
  t.throws(() => openForReading(join(t.testdir(), 'none.db')), {
    code: 'MND_INPUT_MISSING',
    exitCode: 66,
  });
});

t.test('kill -9 in the middle of writes loses nothing that was committed', async (t) => {
  const dir = t.testdir();
  const file = join(dir, 'mobilenetd.db');
  mkdirSync(dir, { recursive: true });
  const program = `
    import { openStore } from '#mobilenetd/store/store.js';
    const store = openStore({ file: ${JSON.stringify(file)}, commitInterval: 0.01,
      detectionInterval: 0, retention: { days: 30, maxBytes: 1e9 },
      outbox: { maxAge: 3600, maxRows: 1e6 } });
    const base = { camera: 'front', label: 'person', score: 0.5, start: Date.now(), end: null,
      model: 'ssd', alpha: 1, size: 300, count: 1, box: null };
    let n = 0;
    for (;;) {
      const id = process.pid + '-' + n++;
      store.recordResult({ ...base, sequence: n, capturedAt: 0, time: Date.now(),
        labels: [{ index: 1, label: 'person', score: 0.5, box: null }] }, new Map());
      const message = { topic: 't', payload: id, qos: 1, retain: false };
      if (!store.recordEvents([{ ...base, id, type: 'new' }], [message])) throw new Error('failed');
      process.stdout.write(id + '\\n');
      if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }`;
  const published: string[] = [];
  for (const lines of [1, 37, 150]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit');
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      published.push(line);
      if (++seen === lines) child.kill('SIGKILL');
    }
    const [code, signal] = await exit;
    t.equal(code, null);
    t.equal(signal, 'SIGKILL');
  }
  const { log, open } = setup(t, { file });
  const store = open();
  t.same(log.lines, [], 'nothing was damaged');
  const recorded = new Set([...store.events(ALL)].map((row) => row.id));
  t.same(
    published.filter((id) => !recorded.has(id)),
    [],
    `none of ${published.length} published events is missing`,
  );
  const queued = new Set(store.outbox.next(1e6).map((row) => Buffer.from(row.payload).toString()));
  t.same(queued, recorded, 'every event has its message and every message its event');
  t.equal(store.openEvents().length, recorded.size);
  store.close();
});
