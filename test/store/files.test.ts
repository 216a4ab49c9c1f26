import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import SQLite from 'better-sqlite3';
import t, { type Test } from 'tap';
import { forget } from '#mobilenetd/store/forget.js';
import { openForReading } from '#mobilenetd/store/reading.js';
import type { Store } from '#mobilenetd/store/store.js';
import { event, message, START, setup } from './sample-store.js';

/** Ids of the events that whoever opens the path finds, and of those that are open. */
function found(file: string): { readonly all: string[]; readonly open: string[] } {
  const reader = openForReading(file);
  try {
    t.equal(reader.pragma('integrity_check', { simple: true }), 'ok');
    const ids = (where: string) =>
      reader.prepare(`SELECT uid FROM event ${where} ORDER BY uid`).pluck().all() as string[];
    return { all: ids(''), open: ids('WHERE end IS NULL') };
  } finally {
    reader.close();
  }
}

const notice = (id: string) => ({
  ...{ rule: 'door', channel: 'webhook', event: id, cause: 'front/person', payload: '{}' },
});

/** A copy as somebody makes it who has read the manual. */
function copyOf(file: string): string {
  const reader = openForReading(file);
  const copy = join(dirname(file), 'copy.db');
  rmSync(copy, { force: true });
  reader.prepare('VACUUM INTO ?').run(copy);
  reader.close();
  return copy;
}

interface Case {
  readonly name: string;
  /** Called before what is recorded later. */
  readonly prepare?: (file: string) => void;
  /** Half a minute passes before the harm, so that the log is written into the file. */
  readonly idle?: boolean;
  readonly harm: (file: string) => void;
  /** Whether the database that is there afterwards is the same, or has a backup's events. */
  readonly keeps: 'all' | 'backup' | 'nothing';
  readonly harmless?: boolean;
}

const CASES: readonly Case[] = [
  { name: 'the file is removed', harm: (file) => unlinkSync(file), keeps: 'nothing' },
  {
    name: 'the file and its companions are removed',
    harm: (file) => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    },
    keeps: 'nothing',
  },
  {
    name: 'the whole folder is removed',
    harm: (file) => rmSync(dirname(file), { recursive: true }),
    keeps: 'nothing',
  },
  {
    name: 'the file is moved away',
    harm: (file) => renameSync(file, `${file}.old`),
    keeps: 'nothing',
  },
  {
    name: 'a backup is moved to its place',
    prepare: (file) => void copyOf(file),
    harm: (file) => renameSync(join(dirname(file), 'copy.db'), file),
    keeps: 'backup',
  },
  {
    name: 'a backup is copied over it',
    prepare: (file) => void copyOf(file),
    harm: (file) => copyFileSync(join(dirname(file), 'copy.db'), file),
    keeps: 'backup',
  },
  {
    name: 'a raw copy of the file is copied back over it',
    prepare: (file) => copyFileSync(file, join(dirname(file), 'raw.db')),
    idle: true,
    harm: (file) => copyFileSync(join(dirname(file), 'raw.db'), file),
    keeps: 'backup',
  },
  {
    name: 'a raw copy of what is still in the file is copied back over it',
    prepare: (file) => copyFileSync(file, join(dirname(file), 'raw.db')),
    harm: (file) => copyFileSync(join(dirname(file), 'raw.db'), file),
    keeps: 'all',
    harmless: true,
  },
  {
    name: 'a backup replaces it as the manual says, but for the stop',
    prepare: (file) => void copyOf(file),
    harm: (file) => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
      copyFileSync(join(dirname(file), 'copy.db'), file);
    },
    keeps: 'backup',
  },
  {
    name: 'the write-ahead log is removed',
    harm: (file) => unlinkSync(`${file}-wal`),
    keeps: 'all',
  },
  {
    name: 'the write-ahead log is written over with zeros',
    harm: (file) => {
      const log = openSync(`${file}-wal`, 'r+');
      writeSync(log, Buffer.alloc(statSync(`${file}-wal`).size), 0, null, 0);
      closeSync(log);
    },
    keeps: 'all',
  },
  {
    name: 'the write-ahead log is written over with something else',
    harm: (file) => copyFileSync(process.execPath, `${file}-wal`),
    keeps: 'all',
  },
  {
    name: 'the index of the log is removed',
    harm: (file) => unlinkSync(`${file}-shm`),
    keeps: 'all',
  },
];

/** Records one event after the other until they are written, as a daemon does twice a second. */
function recordUntilWritten(store: Store, advance: (ms: number) => void): string[] {
  const ids: string[] = [];
  for (let n = 0; n < 8; n += 1) {
    const id = `after-${n}`;
    ids.push(id);
    if (store.recordEvents([event({ id, type: 'end', end: START + 9 })], [message(id)])) break;
    advance(500);
  }
  return ids;
}

for (const { name, prepare, idle, harm, keeps, harmless = false } of CASES) {
  t.test(name, async (t) => {
    const { file, time, log, open } = inFolder(t);
    const store = open();
    t.teardown(() => store.close());
    store.settings.set('pin', 'small');
    const ended = (id: string) => event({ id, type: 'end', end: START + 5 });
    store.recordEvents([ended('first')], []);
    store.recordEvents([event({ id: 'left' })], []);
    // Large enough that the log has been written into the file once.
    for (let n = 0; n < 3; n += 1)
      store.recordEvents([ended(`old-${n}`)], [message('x'.repeat(2e6))]);
    time.advance(31_000);
    prepare?.(file);
    store.recordEvents([{ ...event({ id: 'left' }), type: 'end', end: START + 7 }], []);
    store.recordEvents([event({ id: 'told' })], [], [notice('told')]);
    store.notices.remove(store.notices.next('door', 'webhook')?.id ?? 0);
    store.recordEvents([{ ...event({ id: 'told' }), type: 'end', end: START + 8 }], []);
    store.recordEvents([event({ id: 'open' })], [message('waiting')], [notice('open')]);
    const underWay = store.notices.next('door', 'webhook');
    if (idle) time.advance(31_000);
    harm(file);
    const after = recordUntilWritten(store, time.advance);
    t.ok(after.length <= 5, `written after ${after.length - 1} half seconds`);
    const { all, open: unended } = found(file);
    for (const id of [...after, 'open']) t.ok(all.includes(id), `${id} is in the database`);
    t.same(unended, ['open'], 'what is present is open, and nothing else');
    if (keeps !== 'nothing') t.ok(all.includes('first'), 'what the file had is still there');
    t.match(store.health(), {
      writable: true,
      error: null,
      waiting: 0,
      replaced: harmless ? 0 : 1,
    });
    const said = log.lines.filter(({ message }) => message.includes('while it was in use'));
    t.equal(said.length, harmless ? 0 : 1, 'said once');
    const texts = store.outbox.next(1000).map(({ payload }) => Buffer.from(payload).toString());
    t.ok(texts.includes('waiting') && after.every((id) => texts.includes(id)), 'messages too');
    t.same(store.notices.next('door', 'webhook'), underWay, 'and notifications, as they were');
    t.match(store.notices.counts(), [{ rule: 'door', channel: 'webhook', waiting: 1 }]);
    t.match(store.notices.firings(0), [{ rule: 'door', cause: 'front/person' }]);
    store.recordEvents([], [], [notice('next')]);
    t.equal(store.notices.remove(underWay?.id ?? 0), 1);
    t.match(store.notices.next('door', 'webhook'), { event: 'next' });
    if (keeps === 'nothing') t.equal(store.settings.get('pin'), 'small', 'and settings');
    t.equal(store.recordEvents([ended('last')], []), true);
    t.ok(found(file).all.includes('last'));
    store.close();
    t.ok(found(file).all.includes('last'), 'after a close as well');
    t.same(
      readdirSync(dirname(file)).filter((name) => name.endsWith('.part')),
      [],
    );
  });
}

/** A database in a folder of its own, which can be removed. */
function inFolder(t: Test) {
  return setup(t, { file: join(t.testdir(), 'state', 'mobilenetd.db') });
}

t.test('what is present is written again although nothing else is recorded', async (t) => {
  const { file, time, open } = inFolder(t);
  const store = open();
  store.recordEvents([event({ id: 'cat' })], []);
  rmSync(dirname(file), { recursive: true });
  time.advance(2001);
  t.same(found(file), { all: ['cat'], open: ['cat'] });
  store.close();
});

t.test('a log that was cut to nothing loses no event', async (t) => {
  const { file, time, open } = inFolder(t);
  const store = open();
  store.recordEvents([event({ id: 'one', type: 'end', end: START + 1 })], []);
  truncateSync(`${file}-wal`, 0);
  const after = recordUntilWritten(store, time.advance);
  t.same(found(file).all, ['one', ...after].sort());
  store.close();
});

t.test("another program's reading and checkpoints are no harm", async (t) => {
  const { file, time, log, open } = inFolder(t);
  const store = open();
  for (let n = 0; n < 50; n += 1) {
    store.recordEvents(
      [event({ id: `e${n}`, type: 'end', end: START + 1 })],
      [message('x'.repeat(50_000))],
    );
    time.advance(500);
    if (n % 10 !== 5) continue;
    const other = new SQLite(file);
    other.prepare('SELECT count(*) FROM event').get();
    other.exec(`CREATE TABLE theirs${n} (x)`);
    other.pragma('wal_checkpoint(PASSIVE)');
    other.close();
  }
  t.same(log.lines, []);
  t.equal(store.health().replaced, 0);
  t.equal(found(file).all.length, 50);
  store.close();
  t.notOk(existsSync(`${file}-wal`));
});

const FORGETTINGS: Readonly<Record<string, (store: Store, file: string) => unknown>> = {
  'one event': (store) => store.forgetEvent('gone'),
  'a label': (_, file) => forget(file, { label: 'cat' }, new AbortController().signal),
  'a time': (_, file) => forget(file, { until: START + 10 }, new AbortController().signal),
};

for (const [what, remove] of Object.entries(FORGETTINGS)) {
  for (const name of [
    'the file is removed',
    'the whole folder is removed',
    'the file is moved away',
  ]) {
    t.test(`${what} that was forgotten does not come back when ${name}`, async (t) => {
      const { file, time, open } = inFolder(t);
      const store = open();
      const over = { type: 'end', label: 'cat', start: START, end: START + 1 } as const;
      store.recordEvents([event({ ...over, id: 'gone' })], []);
      store.recordEvents(
        [event({ ...over, id: 'kept', label: 'dog', start: START + 50, end: START + 60 })],
        [],
      );
      store.recordEvents([event({ id: 'open', label: 'dog', start: START + 70 })], []);
      await remove(store, file);
      CASES.find((each) => each.name === name)?.harm(file);
      time.advance(2001);
      t.same(found(file), { all: ['kept', 'open'], open: ['open'] });
      store.close();
    });
  }
}
