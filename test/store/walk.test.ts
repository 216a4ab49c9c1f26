import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import t from 'tap';
import { queryBriefs, queryEvents } from '#mobilenetd/store/query.js';
import { openForReading } from '#mobilenetd/store/reading.js';
import { event, START, setup } from './sample-store.js';

const ALL = { limit: Number.MAX_SAFE_INTEGER };

/** Any finite double but zeros, by its bits, from a row of numbers that is the same each time. */
function doubles(count: number): number[] {
  const view = new DataView(new ArrayBuffer(8));
  const found: number[] = [0.1 + 0.2, 1 / 3, 5e-324, Number.MAX_VALUE, -1e-7, 123456789.12345679];
  for (let seed = 1; found.length < count; ) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    view.setUint32(0, seed * 2);
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    view.setUint32(4, seed * 2);
    if (Number.isFinite(view.getFloat64(0))) found.push(view.getFloat64(0));
  }
  return found;
}

t.test('numbers and texts of any kind come back as they are, over many pages and in order', (t) => {
  const { file, open } = setup(t);
  const store = open();
  const numbers = doubles(2500);
  const labels = ['a "b"', "c'd", 'e\\f', 'g\nh', 'tür 🚪', '\u0001', '{{x}}', '[1,2]', 'null'];
  const written = numbers.map((number, at) =>
    event({
      id: `e${at}`,
      type: 'end',
      label: labels[at % labels.length] ?? '',
      start: START + Math.floor(at / 3),
      end: START + at,
      score: at % 2 === 0 ? number : 0.1 + at / 1e5,
      box: [number, at / 7, 1, 2],
      zones: at % 5 === 0 ? ['porch', 'say "hi"'] : [],
      subLabel: at % 4 === 0 ? 'robin, "red"' : null,
      subScore: at % 4 === 0 ? number : null,
    }),
  );
  for (let at = 0; at < written.length; at += 500)
    store.recordEvents(written.slice(at, at + 500), []);
  store.close();
  const database = openForReading(file);
  t.same([...queryEvents(database, ALL)], written);
  const briefs = written.map(({ id, camera, label, subLabel, score, start, end }) => {
    return { id, camera, label, subLabel, score, start, end };
  });
  t.same([...queryBriefs(database, ALL)], briefs);
  t.same([...queryBriefs(database, { limit: 1200 })], briefs.slice(-1200), 'the newest');
  const query = { ...ALL, since: START + 2000, label: 'null' };
  t.same(
    [...queryBriefs(database, query)].map(({ id }) => id),
    [...queryEvents(database, query)].map(({ id }) => id),
  );
  database.close();
  t.end();
});

t.test('a cell that has no form in JSON does not hide the others', (t) => {
  const { file, open } = setup(t);
  const store = open();
  for (const id of ['a', 'b', 'c'])
    store.recordEvents([event({ id, type: 'end', end: START })], []);
  store.close();
  const writer = new SQLite(file);
  writer.unsafeMode(true);
  writer.pragma('writable_schema = ON');
  writer
    .prepare("UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'event'")
    .run();
  writer.close();
  const again = new SQLite(file);
  again.prepare("UPDATE event SET uid = x'ff00' WHERE uid = 'b'").run();
  again.close();
  const database = openForReading(file);
  const ids = [...queryBriefs(database, ALL)].map(({ id }) => id);
  t.match(ids, ['a', {}, 'c']);
  database.close();
  t.end();
});

t.test('a database of an older version lists its events', (t) => {
  const file = join(t.testdir(), 'old.db');
  const { open } = setup(t, { file });
  const store = open();
  store.recordEvents([event({ id: 'a', type: 'end', end: START })], []);
  store.close();
  const writer = new SQLite(file);
  for (const column of ['sub_label', 'sub_score', 'zones', 'loitering', 'object', 'stationary']) {
    writer.exec(`ALTER TABLE event DROP COLUMN ${column}`);
  }
  writer.close();
  const database = openForReading(file);
  t.match([...queryBriefs(database, ALL)], [{ id: 'a', subLabel: null }]);
  t.match([...queryEvents(database, ALL)], [{ id: 'a', zones: [], stationary: false }]);
  database.close();
  t.end();
});
