import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import SQLite from 'better-sqlite3';
import t, { type Test } from 'tap';
import type { CommandEntry } from '#mobilenetd/cli/command.js';
import { timeOption } from '#mobilenetd/cli/times.js';
import { openStore, type Store } from '#mobilenetd/store/store.js';
import { lastingFolder } from '../lasting-folder.js';
import { event, result } from '../store/sample-store.js';
import { runInProcess } from './in-process.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.now();

const COMMANDS: readonly CommandEntry[] = [
  { name: 'query', summary: '', load: () => import('#mobilenetd/cli/query.js') },
  { name: 'events', summary: '', load: () => import('#mobilenetd/cli/events.js') },
  { name: 'export', summary: '', load: () => import('#mobilenetd/cli/export.js') },
  { name: 'forget', summary: '', load: () => import('#mobilenetd/cli/forget.js') },
  { name: 'backup', summary: '', load: () => import('#mobilenetd/cli/backup.js') },
];

function run(state: string, ...args: string[]) {
  return runInProcess(COMMANDS, args, { ...process.env, MOBILENETD_STATE: state });
}

function open(folder: string): Store {
  return openStore({
    file: join(folder, 'mobilenetd.db'),
    commitInterval: 2,
    detectionInterval: 0,
    retention: { days: 3000, maxBytes: 1e12 },
    outbox: { maxAge: 3600, maxRows: 1000 },
  });
}

interface Stay {
  readonly id: string;
  readonly start: number;
  readonly end: number | null;
  readonly label?: string;
  readonly camera?: string;
}

/** A state folder with stays, and a detection at the beginning of each, while its daemon runs. */
function stateWith(t: Test, stays: readonly Stay[]): { folder: string; store: Store } {
  const folder = lastingFolder(t);
  const store = open(folder);
  t.teardown(() => store.close());
  for (const { label = 'person', camera = 'front', ...stay } of stays) {
    const type = stay.end === null ? 'new' : 'end';
    store.recordEvents([event({ ...stay, type, label, camera })], []);
    store.recordResult(result(stay.start, [[label, 0.8]], camera), new Map([[label, stay.id]]));
  }
  store.flush();
  return { folder, store };
}

const many = (count: number): Stay[] =>
  Array.from({ length: count }, (_, n) => ({
    id: `e${String(n).padStart(5, '0')}`,
    start: NOW - DAY + n * 1000,
    end: NOW - DAY + n * 1000 + 500,
  }));

t.test('nothing is cut without a word', async (t) => {
  const { folder } = stateWith(t, many(250));
  const lines = async (...args: string[]) => {
    const { stdout, stderr } = await run(folder, 'query', ...args);
    return { rows: stdout.trimEnd().split('\n').length, stderr };
  };
  for (const kind of [[], ['--events']]) {
    t.equal((await lines(...kind, '--json')).rows, 250);
    t.equal((await lines(...kind, '--csv')).rows, 251);
    t.equal((await lines(...kind, '--since', '2d')).rows, 251);
    t.equal((await lines(...kind, '--until', '1s')).rows, 251);
    t.equal((await lines(...kind, '--limit', '0')).rows, 251);
    const { rows, stderr } = await lines(...kind);
    t.equal(rows, 101);
    t.match(stderr, /the newest 100; --limit 0 shows all/);
    t.equal((await lines(...kind, '--limit', '7', '--json')).rows, 7);
  }
  const few = stateWith(t, many(3));
  t.equal((await run(few.folder, 'query')).stderr, '', 'nothing to say where nothing is cut');
});

t.test('an event fits a time when any part of its stay does', async (t) => {
  const at = (hours: number) => NOW - hours * HOUR;
  const { folder } = stateWith(t, [
    { id: 'long-over', start: at(50), end: at(49.9) },
    { id: 'all-day', start: at(30), end: at(1) },
    { id: 'into', start: at(10.2), end: at(9.9) },
    { id: 'inside', start: at(9.5), end: at(9.4) },
    { id: 'out-of', start: at(8.1), end: at(7.9) },
    { id: 'since-ever', start: at(40), end: null },
    { id: 'later', start: at(2), end: at(1.9) },
    { id: 'dog', start: at(9.5), end: at(9.4), label: 'dog' },
  ]);
  const ids = async (...args: string[]) =>
    (await run(folder, 'query', '--events', '--json', ...args)).json().map(({ id }) => id);
  const span = ['--since', '10h', '--until', '8h'];
  const fit = ['since-ever', 'all-day', 'into', 'inside', 'out-of'];
  t.same(await ids(...span, '--label', 'person'), fit);
  t.same(await ids(...span, '--label', 'person', '--limit', '4'), fit.slice(-4));
  t.same(await ids(...span, '--label', 'person', '--limit', '2'), fit.slice(-2));
  t.same(await ids(...span, '--label', 'dog'), ['dog']);
  t.same(await ids(...span, '--label', 'bird'), []);
  t.same(await ids('--since', '1.5h'), ['since-ever', 'all-day']);
  t.same(await ids('--until', '49.95h'), ['long-over']);
  const events = (await run(folder, 'events', '--json', ...span)).json().map(({ id }) => id);
  t.same(events, ['since-ever', 'all-day', 'into', 'inside', 'dog', 'out-of']);
});

t.test('times are what they say, or refused', async (t) => {
  const parse = timeOption('--since', () => NOW);
  const local = (...fields: [number, number, number, number?, number?, number?]) =>
    new Date(...fields).getTime();
  t.equal(parse('2026-05-01'), local(2026, 4, 1), 'a date alone is local midnight');
  t.equal(parse('2026-05-01T18:30'), local(2026, 4, 1, 18, 30));
  t.equal(parse('2026-05-01 18:30:07'), local(2026, 4, 1, 18, 30, 7));
  t.equal(parse('2026-05-01T18:30Z'), Date.UTC(2026, 4, 1, 18, 30));
  t.equal(parse('2026-05-01T18:30:00.25+02:00'), Date.UTC(2026, 4, 1, 16, 30, 0, 250));
  t.equal(parse('2024-02-29'), local(2024, 1, 29));
  t.equal(parse('1.5h'), NOW - 1.5 * HOUR);
  for (const text of [
    ...['2026-02-30', '2025-02-29', '2026-13-01', '2026-00-10', '2026-05-00', '2026-05-32'],
    ...['2026-05-01T24:00', '2026-05-01T12:60', '2026-05-01T12', '2026-05-01T12:00:61'],
    ...['2026-05-01x', '2026-05-01 and more', '2026-05-01T12:00Zz', '2026-5-1', '01.05.2026'],
    ...[
      '2026-05-01T12:00+99:00',
      '1h30',
      '5',
      '-1h',
      '1 h',
      '1H',
      '',
      'yesterday',
      '99999999999999d',
    ],
  ]) {
    t.throws(() => parse(text), { code: 'MND_USAGE', message: /--since/ }, text);
  }
  const { folder } = stateWith(t, []);
  const backwards = await run(folder, 'query', '--since', '1h', '--until', '2h');
  t.equal(backwards.status, 64);
  t.match(backwards.stderr, /MND_USAGE: --until: .*expected a time after/);
});

t.test('dates are local in other zones and at their changes', async (t) => {
  const program = `
    import { timeOption } from '#mobilenetd/cli/times.js';
    const parse = (text) => { try { return new Date(timeOption('x')(text)).toISOString(); } catch { return null; } };
    console.log(JSON.stringify(process.argv.slice(1).map(parse)));`;
  const inZone = (TZ: string, ...texts: string[]) =>
    JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '-e', program, ...texts], {
        env: { ...process.env, TZ },
        encoding: 'utf8',
      }),
    );
  t.same(inZone('Europe/Berlin', '2026-05-01', '2026-03-29T02:30', '2026-03-29T03:30'), [
    '2026-04-30T22:00:00.000Z',
    null,
    '2026-03-29T01:30:00.000Z',
  ]);
  t.same(inZone('America/New_York', '2026-05-01'), ['2026-05-01T04:00:00.000Z']);
  t.same(inZone('Asia/Kathmandu', '2026-05-01'), ['2026-04-30T18:15:00.000Z']);
});

t.test('tables fit 80 columns, --wide has all; JSON and CSV are UTC', async (t) => {
  const { folder } = stateWith(t, [
    {
      id: '3f2a9c01-7b1e-4d53-9d0c-0123456789ab',
      start: NOW - HOUR,
      end: NOW - HOUR + 12_345,
      label: 'a label from a long list of synonyms, as ImageNet has them',
      camera: 'the camera above the garage door',
    },
    { id: 'b'.repeat(36), start: NOW - 2 * DAY, end: null },
  ]);
  for (const args of [
    ['query'],
    ['query', '--events'],
    ['events'],
    ['query', '--by', 'hour', '--since', '3d'],
  ]) {
    const { stdout } = await run(folder, ...args);
    const widths = stdout.split('\n').map((line) => line.length);
    t.ok(Math.max(...widths) <= 80, `${args.join(' ')}: ${Math.max(...widths)} columns`);
    for (const line of stdout.trimEnd().split('\n')) t.notMatch(line, /\S…\S/, 'cells are apart');
  }
  const wide = await run(folder, 'events', '--wide');
  t.match(wide.stdout, /3f2a9c01-7b1e-4d53-9d0c-0123456789ab/);
  t.match(wide.stdout, /the camera above/);
  const csv = await run(folder, 'query', '--events', '--csv');
  t.match(csv.stdout.split('\n')[1], /^\d{4}-\d\d-\d\dT[\d:.]+Z,/);
  const short = await run(folder, 'events', '3f2a9c01', '--json');
  t.match(short.json(), [{ id: '3f2a9c01-7b1e-4d53-9d0c-0123456789ab' }]);
  t.equal((await run(folder, 'events', 'nonsense')).status, 64);
});

t.test('sums by the hour and the day count every part of a stay', async (t) => {
  const noon = new Date(2026, 4, 10, 12).getTime();
  const { folder } = stateWith(t, [
    { id: 'a', start: noon + 10 * 60_000, end: noon + 20 * 60_000 },
    { id: 'b', start: noon + 50 * 60_000, end: noon + 130 * 60_000 },
    { id: 'c', start: noon + 5 * 60_000, end: noon + 6 * 60_000, label: 'dog' },
  ]);
  const sums = async (...args: string[]) => (await run(folder, 'query', '--json', ...args)).json();
  const hour = (n: number) => new Date(noon + n * HOUR).toISOString();
  t.match(await sums('--by', 'hour', '--label', 'person'), [
    { time: hour(0), label: 'person', events: 2, seconds: 1200 },
    { time: hour(1), label: 'person', events: 0, seconds: 3600 },
    { time: hour(2), label: 'person', events: 0, seconds: 600 },
  ]);
  t.match(await sums('--by', 'day'), [
    { time: new Date(2026, 4, 10).toISOString(), label: 'dog', events: 1, seconds: 60 },
    { label: 'person', events: 2, seconds: 5400 },
  ]);
  t.match(
    await sums(
      '--by',
      'hour',
      '--label',
      'person',
      '--since',
      '2026-05-10T13:00',
      '--until',
      '2026-05-10T13:30',
    ),
    [{ time: hour(1), events: 0, seconds: 1800 }],
  );
  t.equal((await run(folder, 'query', '--by', 'week')).status, 64);
});

t.test('exports are whole, private and of the kind their name says', async (t) => {
  const { folder } = stateWith(t, [
    ...many(20),
    { id: 'cat', start: NOW - HOUR, end: NOW - HOUR + 1000, label: 'cat' },
  ]);
  mkdirSync(join(folder, 'pictures'));
  for (const name of ['cat.jpg', 'cat.thumb.jpg', 'e00001.jpg', 'orphan.jpg']) {
    writeFileSync(join(folder, 'pictures', name), name);
  }
  const out = (name: string) => join(folder, name);
  t.equal((await run(folder, 'export', out('all.csv'))).status, 0);
  t.equal(readFileSync(out('all.csv'), 'utf8').trimEnd().split('\n').length, 22);
  t.equal(statSync(out('all.csv')).mode & 0o777, 0o600);
  await run(folder, 'export', out('cats.jsonl'), '--label', 'cat', '--detections');
  t.match(JSON.parse(readFileSync(out('cats.jsonl'), 'utf8')), { label: 'cat', event: 'cat' });
  const copied = await run(
    folder,
    'export',
    out('cats.db'),
    '--label',
    'cat',
    '--pictures',
    '--json',
  );
  t.match(copied.json(), [{ rows: 1, pictures: 2 }]);
  const copy = new SQLite(out('cats.db'), { readonly: true });
  t.same(copy.prepare('SELECT uid FROM event').pluck().all(), ['cat']);
  t.equal(copy.pragma('integrity_check', { simple: true }), 'ok');
  copy.close();
  const names = execFileSync('tar', ['tf', out('cats.db.pictures.tar')], { encoding: 'utf8' });
  t.same(names.trim().split('\n').sort(), ['cat.jpg', 'cat.thumb.jpg']);
  t.match(await run(folder, 'export', out('all.csv')), { status: 1, stderr: /--force/ });
  writeFileSync(out('mine.csv.pictures.tar'), 'mine');
  t.match(await run(folder, 'export', out('mine.csv'), '--pictures'), {
    status: 1,
    stderr: /--force/,
  });
  t.equal(readFileSync(out('mine.csv.pictures.tar'), 'utf8'), 'mine', 'nobody else loses a file');
  t.notOk(existsSync(out('mine.csv')), 'it is looked at first');
  const forced = await run(folder, 'export', out('mine.csv'), '--pictures', '--force');
  t.equal(forced.status, 0);
  const none = ['export', out('mine.csv'), '--label', 'unicorn', '--pictures', '--force'];
  t.equal((await run(folder, ...none)).status, 0);
  t.notOk(existsSync(out('mine.csv.pictures.tar')), 'no archive of other events stays');
  t.match(await run(folder, 'export', out('all.xlsx')), { status: 64, stderr: /\.csv/ });
  t.match(await run(folder, 'export', out('no/such/x.csv')), {
    status: 1,
    stderr: /MND_OUTPUT_FAILED.*no folder/,
  });
  const pictures = out('seen');
  const opened = await run(folder, 'events', 'cat', 'e00002', '--open', pictures);
  t.match(opened.stderr, /2 pictures in .*; 1 of the events have none/);
  t.same(readdirSync(pictures).sort(), ['cat.jpg', 'cat.thumb.jpg']);
  t.same(
    readdirSync(folder).filter((name) => name.includes('.part')),
    [],
  );
});

t.test('forget removes rows, pictures and waiting messages, and nothing else', async (t) => {
  const { folder, store } = stateWith(t, [
    ...many(700),
    { id: 'cat-1', start: NOW - 3 * HOUR, end: NOW - 2 * HOUR, label: 'cat' },
    { id: 'cat-2', start: NOW - HOUR, end: NOW - HOUR + 1000, label: 'cat' },
    { id: 'cat-3', start: NOW - 1000, end: null, label: 'cat' },
  ]);
  const told = (id: string) =>
    ({ topic: 't', payload: `{"id":"${id}"}`, qos: 1, retain: false }) as const;
  store.recordEvents([], [told('cat-1'), told('e00001')]);
  mkdirSync(join(folder, 'pictures'));
  for (const name of ['cat-1.jpg', 'cat-1.crop.jpg', 'cat-2.jpg']) {
    writeFileSync(join(folder, 'pictures', name), '');
  }
  const ids = async () =>
    (await run(folder, 'query', '--events', '--json')).json().map(({ id }) => String(id));
  const before = (await ids()).length;
  for (const args of [[], ['--label', 'cat'], ['--before', '1h', '--until', '1h', '--yes']]) {
    t.equal((await run(folder, 'forget', ...args)).status, 64, `forget ${args.join(' ')}`);
  }
  const dry = await run(folder, 'forget', '--label', 'cat', '--dry-run');
  t.match(dry.stdout, '3 detections, 2 events would be removed\n1 events have not ended and stay');
  t.equal((await ids()).length, before);
  const some = await run(
    folder,
    'forget',
    '--label',
    'cat',
    '--since',
    '2.5h',
    '--until',
    '1.5h',
    '--yes',
  );
  t.match(some.stdout, /0 detections, 1 events, 2 pictures removed/);
  t.same(readdirSync(join(folder, 'pictures')), ['cat-2.jpg']);
  t.same(
    store.outbox.next(10).map(({ payload }) => Buffer.from(payload).toString()),
    ['{"id":"e00001"}'],
  );
  const old = await run(folder, 'forget', '--before', '4h', '--yes', '--json');
  t.match(old.json(), [{ detections: 700, events: 700, open: 0 }]);
  t.same(await ids(), ['cat-2', 'cat-3']);
  store.recordEvents([event({ id: 'next', start: NOW })], []);
  t.equal(store.health().replaced, 0, 'the daemon takes no harm');
  store.close();
  const bytes = readFileSync(join(folder, 'mobilenetd.db'));
  t.notOk(bytes.includes('e00042'), 'what was removed is not in the file any more');
});

t.test('backups are private, rotate in a folder, and say where they cannot be', async (t) => {
  const { folder } = stateWith(t, many(3));
  const place = join(folder, 'backups');
  mkdirSync(place);
  for (const day of ['01', '02', '03']) {
    writeFileSync(join(place, `mobilenetd-2026-01-${day}T00-00-00Z.db`), '');
  }
  writeFileSync(join(place, 'mobilenetd-mine.db'), '');
  t.equal((await run(folder, 'backup', place, '--keep', '2')).status, 0);
  const names = readdirSync(place).sort();
  t.equal(names.length, 3);
  t.ok(
    names.includes('mobilenetd-mine.db') && names.includes('mobilenetd-2026-01-03T00-00-00Z.db'),
  );
  const newest = names.find(
    (name) => !name.startsWith('mobilenetd-2026-01') && !name.includes('mine'),
  );
  t.equal(statSync(join(place, newest ?? '')).mode & 0o777, 0o600);
  t.equal((await run(folder, 'backup', join(folder, 'x.db'), '--keep', '2')).status, 64);
});

t.test('reading needs no right to write', async (t) => {
  if (process.getuid?.() !== 0) return t.comment('only root can take the right away for sure');
  const { folder, store } = stateWith(t, many(30));
  store.close();
  const asNobody = (...args: string[]) =>
    execFileSync(process.execPath, ['dist/cli/main.js', ...args], {
      uid: 65534,
      gid: 65534,
      env: { PATH: process.env.PATH, MOBILENETD_STATE: state, HOME: '/tmp' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const state = mkdtempSync(join(tmpdir(), 'mobilenetd-state-'));
  t.teardown(() => rmSync(state, { recursive: true }));
  const file = join(state, 'mobilenetd.db');
  copyFileSync(join(folder, 'mobilenetd.db'), file);
  chmodSync(state, 0o755);
  chmodSync(file, 0o644);
  const target = join(mkdtempSync(join(tmpdir(), 'mobilenetd-target-')), 'copy.db');
  chownSync(join(target, '..'), 65534, 65534);
  t.teardown(() => rmSync(join(target, '..'), { recursive: true }));
  const reads = () => {
    t.equal(asNobody('query', '--json').trimEnd().split('\n').length, 30);
    rmSync(target, { force: true });
    t.match(asNobody('backup', target), /30 events/);
  };
  reads();
  const live = open(state);
  for (const suffix of ['-wal', '-shm']) chmodSync(`${file}${suffix}`, 0o644);
  live.recordEvents([event({ id: 'in-the-log', start: NOW })], []);
  t.match(asNobody('query', '--events', '--json'), /in-the-log/, 'with a daemon that writes');
  live.close();
  chmodSync(state, 0o700);
  try {
    asNobody('query');
    t.fail('must be refused');
  } catch (error) {
    const stderr = String((error as { stderr?: unknown }).stderr);
    t.match(stderr, /^mobilenetd: MND_STATE_FORBIDDEN: .*sudo -u mobilenetd mobilenetd/);
    t.equal(stderr.trimEnd().split('\n').length, 1, 'one line');
  }
});

t.test('a read-only disk can be asked', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-disk-'));
  t.teardown(() => rmdirSync(folder));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return t.comment('no file system can be mounted here');
  }
  t.teardown(() => execFileSync('umount', ['-l', folder]));
  const store = open(folder);
  for (const { id, start, end } of many(5))
    store.recordEvents([event({ id, start, end, type: 'end' })], []);
  // As after a crash: the log is there and cannot be written into the file.
  const crashed = join(folder, 'crashed');
  mkdirSync(crashed);
  for (const suffix of ['', '-wal']) {
    copyFileSync(join(folder, `mobilenetd.db${suffix}`), join(crashed, `mobilenetd.db${suffix}`));
  }
  store.close();
  execFileSync('mount', ['-o', 'remount,ro', folder]);
  for (const state of [folder, crashed]) {
    t.equal((await run(state, 'query', '--events', '--json')).json().length, 5);
    const copy = join(lastingFolder(t), 'copy.db');
    t.match((await run(state, 'backup', copy)).stdout, /5 events/);
  }
  const left = readdirSync(tmpdir()).filter((name) => name.startsWith('mobilenetd-read-'));
  t.same(left, [], 'no copy stays behind');
});

t.test('damage is said, and what can be read is read', async (t) => {
  const { folder, store } = stateWith(t, many(4000));
  store.close();
  const file = join(folder, 'mobilenetd.db');
  const sound = readFileSync(file);
  const rootOf = (name: string) => {
    const database = new SQLite(file, { readonly: true });
    const page = database.prepare(
      'SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY pageno LIMIT 1 OFFSET 3',
    );
    const number = Number(page.pluck().get(name, 'leaf'));
    database.close();
    return (number - 1) * 4096;
  };
  for (const name of ['event', 'detection', 'detection_time', 'event_start']) {
    const bytes = Buffer.from(sound);
    const at = rootOf(name);
    bytes.fill(0x5a, at, at + 4096);
    writeFileSync(file, bytes);
    const kind = name.startsWith('event') ? ['--events'] : [];
    const { status, stdout, stderr } = await run(folder, 'query', '--json', ...kind);
    t.equal(status, 1, name);
    t.match(stderr, /^mobilenetd: MND_STORE_CORRUPT: .*what could be read was read/);
    const ids = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    t.ok(ids.length > 3700 && ids.length <= 4000, `${name}: ${ids.length} of 4000 rows`);
    const keys = ids.map((row) => row.id ?? row.time);
    t.equal(new Set(keys).size, keys.length, 'none twice');
    t.match(await run(folder, 'backup', join(folder, 'copy.db')), {
      status: 1,
      stderr: /MND_STORE_CORRUPT/,
    });
    writeFileSync(file, sound);
  }
});

/** The program itself, for what only a process can show. */
function start(state: string, args: readonly string[], stdout: 'pipe' | number = 'pipe') {
  const child = spawn(process.execPath, ['dist/cli/main.js', ...args], {
    env: { PATH: process.env.PATH, MOBILENETD_STATE: state },
    stdio: ['ignore', stdout, 'pipe'],
  });
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += String(chunk);
  });
  return { child, exit: once(child, 'close'), stderr: () => stderr };
}

t.test('a reader that goes away, Ctrl-C and a full disk end a query as they should', async (t) => {
  const { folder } = stateWith(t, many(6000));
  for (const args of [['--json'], ['--csv'], ['--events', '--limit', '0']]) {
    const { child, exit, stderr } = start(folder, ['query', ...args]);
    await once(child.stdout ?? child, 'data');
    child.stdout?.destroy();
    t.same(await exit, [0, null], `query ${args.join(' ')} | head`);
    t.equal(stderr(), '');
  }
  const { child, exit, stderr } = start(folder, ['query', '--json']);
  await once(child.stdout ?? child, 'data');
  child.stdout?.pause();
  child.kill('SIGINT');
  await once(child, 'exit');
  t.same([child.exitCode, child.signalCode], [130, null]);
  child.stdout?.destroy();
  await exit;
  t.equal(stderr(), '');
  if (!existsSync('/dev/full')) return;
  const { openSync } = await import('node:fs');
  const full = start(folder, ['query', '--json'], openSync('/dev/full', 'w'));
  t.same(await full.exit, [1, null]);
  t.match(full.stderr(), /^mobilenetd: MND_OUTPUT_FAILED: standard output: .*ENOSPC/);
});

t.test('a backup ends while the daemon writes, and leaves nothing when it is killed', async (t) => {
  const { folder, store } = stateWith(t, []);
  const database = new SQLite(join(folder, 'mobilenetd.db'));
  database.exec(`
    INSERT OR IGNORE INTO camera VALUES (1, 'front'); INSERT OR IGNORE INTO label VALUES (1, 'x');
    INSERT OR IGNORE INTO variant VALUES (1, 'm', 1, 300);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
    INSERT INTO detection (time, camera, label, variant, score) SELECT i, 1, 1, 1, 0.5 FROM n`);
  database.close();
  let written = 0;
  const writing = setInterval(() => store.recordEvents([event({ id: `w${written++}` })], []), 5);
  t.teardown(() => clearInterval(writing));
  const target = join(folder, 'copy.db');
  const whole = start(folder, ['backup', target]);
  t.same(await whole.exit, [0, null], whole.stderr());
  t.ok(written > 0);
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
    rmSync(target, { force: true });
    const { child, exit } = start(folder, ['backup', target]);
    while (!existsSync(`${target}.part`) && child.exitCode === null) await delay(1);
    child.kill(signal);
    await exit;
    const isLeft = () => readdirSync(folder).some((name) => name.startsWith('copy.db.part'));
    while (isLeft()) await delay(20);
    t.notOk(isLeft(), `nothing is left after ${signal}`);
  }
  // A store that is open when its folder is removed makes it anew.
  clearInterval(writing);
  store.close();
});
