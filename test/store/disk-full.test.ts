import { execFileSync } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statfsSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import t, { type Test } from 'tap';
import { lockStateFolder } from '#mobilenetd/store/lock.js';
import { MIGRATIONS } from '#mobilenetd/store/migrations.js';
import { openStore } from '#mobilenetd/store/store.js';
import { createLog, event, message, result, START, setup } from './sample-store.js';

/** A small file system of its own; null where none can be mounted. */
function smallDisk(t: Test, megabytes: number): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
  } catch {
    rmdirSync(folder);
    return null;
  }
  t.teardown(() => {
    execFileSync('umount', ['-l', folder]);
    rmdirSync(folder);
  });
  return folder;
}

/** Takes all room but some kilobytes; returns how to give it back. */
function fill(folder: string, leave: number): () => void {
  const { bavail, bsize } = statfsSync(folder);
  const file = join(folder, 'filler');
  writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - leave * 1024)));
  return () => rmSync(file);
}

const NO_ROOT = 'no file system can be mounted here';

t.test('a full disk takes the lock of a state folder, new or old', async (t) => {
  const folder = smallDisk(t, 1);
  if (folder === null) return t.comment(NO_ROOT);
  lockStateFolder(folder).release();
  fill(folder, 0);
  const lock = lockStateFolder(folder);
  t.throws(() => lockStateFolder(folder), { code: 'MND_STATE_LOCKED' });
  lock.release();
  rmSync(join(folder, 'lock.db'));
  writeFileSync(join(folder, 'lock.db'), '');
  const log = createLog();
  const held = lockStateFolder(folder, log);
  t.throws(() => lockStateFolder(folder), { code: 'MND_STATE_LOCKED', message: /found a lock/ });
  t.same(log.lines, []);
  held.release();
});

t.test('a full disk never works again until there is room, and loses no event', async (t) => {
  const folder = smallDisk(t, 24);
  if (folder === null) return t.comment(NO_ROOT);
  const { time, log, open } = setup(t, { file: join(folder, 'mobilenetd.db') });
  const store = open();
  store.recordEvents([event({ id: 'before' })], [message('before')]);
  time.advance(31_000);
  const free = fill(folder, 0);
  let number = 0;
  const record = () =>
    store.recordEvents([event({ id: `e${number++}` })], [message('x'.repeat(2000))]);
  while (record() && number < 5000);
  t.match(store.health(), { writable: false, waiting: 1, since: START + 31_000 });
  t.equal(store.hasEvent('before'), null, 'nobody knows');
  t.equal(store.hasEvent(`e${number - 1}`), null, 'nor of the one that waits');
  store.recordResult(result(START + 60_000, [['person', 0.7]]), new Map());
  // Reads go on, retries go on, other work is tried: none of it is a sign of room.
  for (let n = 0; n < 60; n += 1) {
    time.advance(5000);
    store.outbox.next(1);
    store.sweep();
    record();
  }
  const said = () => log.lines.filter((line) => line.message.includes('works again')).length;
  t.equal(said(), 0, 'not while the disk is full');
  const { writable, waiting, dropped } = store.health();
  t.equal(writable, false);
  t.ok(waiting > 0 && waiting <= 256, `${waiting} events wait`);
  t.equal(dropped.detections, 1);
  free();
  time.advance(5001);
  t.match(store.health(), { writable: true, error: null, waiting: 0, since: null });
  t.equal(store.hasEvent('before'), true);
  t.equal(store.hasEvent(`e${number - 1}`), true);
  t.equal(store.hasEvent('never'), false);
  t.equal(said(), 1);
  t.equal([...store.events({ limit: 1e6 })].length, 1 + number - dropped.events);
  store.close();
});

t.test('a disk with a little room takes events, but is not said to work', async (t) => {
  const folder = smallDisk(t, 24);
  if (folder === null) return t.comment(NO_ROOT);
  const { time, log, open } = setup(t, { file: join(folder, 'mobilenetd.db') });
  const store = open();
  const all = fill(folder, 0);
  let number = 0;
  const record = () =>
    store.recordEvents([event({ id: `e${number++}` })], [message('x'.repeat(2000))]);
  while (record() && number < 5000);
  all();
  const nearly = fill(folder, 600);
  time.advance(5001);
  t.match(store.health(), { writable: false, error: /full/, waiting: 0 }, 'what waited is written');
  t.notOk(log.lines.some((line) => line.message.includes('works again')));
  nearly();
  time.advance(5001);
  t.match(store.health(), { writable: true, error: null });
  t.ok(log.lines.some((line) => line.message.includes('works again')));
  store.close();
});

t.test('an upgrade without room for its copy says so and changes nothing', async (t) => {
  const folder = smallDisk(t, 24);
  if (folder === null) return t.comment(NO_ROOT);
  const { file, time, log, options, open } = setup(t, { file: join(folder, 'mobilenetd.db') });
  open().close();
  const free = fill(folder, 4000);
  const later = { ...options, migrations: [...MIGRATIONS, 'CREATE TABLE more (x)'] };
  const store = openStore(later);
  t.match(store.health(), { writable: false, error: /needs 1\d MB for a copy, [45] MB are free/ });
  t.match(log.lines.at(-1), { level: 'error', message: /needs 1\d MB for a copy/ });
  t.same(
    readdirSync(folder).filter((name) => name.includes('.v')),
    [],
  );
  free();
  time.advance(5001);
  t.match(store.health(), { writable: true });
  store.close();
  const database = new SQLite(file, { readonly: true });
  t.equal(database.pragma('user_version', { simple: true }), later.migrations.length);
  database.close();
});

t.test('copies from before an upgrade go when the new version has run for a week', async (t) => {
  const { file, time, log, open } = setup(t);
  const store = open();
  const folder = join(file, '..');
  const copies = () => readdirSync(folder).filter((name) => /\.v\d+/.test(name));
  for (const [version, days] of [
    [1, 40],
    [2, 6.5],
    [3, 0],
  ] as const) {
    writeFileSync(`${file}.v${version}`, 'old');
    const made = new Date(START - days * 86_400_000);
    utimesSync(`${file}.v${version}`, made, made);
  }
  writeFileSync(`${file}.v1.mine`, 'not ours');
  time.advance(1001);
  t.same(copies(), ['mobilenetd.db.v1.mine', 'mobilenetd.db.v2', 'mobilenetd.db.v3']);
  time.advance(86_400_000);
  t.same(copies(), ['mobilenetd.db.v1.mine', 'mobilenetd.db.v3']);
  t.ok(log.lines.some((line) => line.message.includes('copies from before an upgrade')));
  store.close();
});
