import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Result } from '#mobilenetd/inference/result.js';
import { openStore } from '#mobilenetd/store/store.js';
import { lastingFolder } from '../lasting-folder.js';
import { WHOLE_PICTURE } from '../whole-picture.js';

const NOW = Date.now();
const HOUR = 3_600_000;

function query(folder: string, ...args: string[]) {
  const env = { PATH: process.env.PATH, MOBILENETD_STATE: folder };
  const done = spawnSync(process.execPath, ['dist/cli/main.js', 'query', ...args], {
    env,
    encoding: 'utf8',
  });
  return { ...done, lines: done.stdout.split('\n').filter((line) => line !== '') };
}

function result(time: number, label: string): Result {
  return {
    camera: 'front',
    sequence: 1,
    capturedAt: 0,
    time,
    model: 'ssd_300',
    alpha: 1,
    size: 300,
    timings: { decode: 0, preprocess: 0, inference: 0, postprocess: 0 },
    labels: [{ index: 1, label, score: 0.81236, box: [1.26, 2, 3, 4] }],
  };
}

/** A state folder whose database is still open, as while the daemon runs. */
function running(t: Test): string {
  const folder = lastingFolder(t);
  const store = openStore({
    file: join(folder, 'mobilenetd.db'),
    commitInterval: 2,
    detectionInterval: 0,
    retention: { days: 30, maxBytes: 1e9 },
    outbox: { maxAge: 3600, maxRows: 100 },
  });
  const labels = ['cat', 'say "hi", cat', 'esc\u001b[31m'];
  const common = { camera: 'front', score: 0.9, model: 'ssd_300', alpha: 1, size: 300, count: 1 };
  labels.forEach((label, i) => {
    const time = NOW - (3 - i) * HOUR + 60_000;
    const start = {
      ...common,
      id: `e${i}`,
      type: 'new',
      label,
      start: time,
      end: null,
      box: null,
      ...WHOLE_PICTURE,
    } as const;
    store.recordEvents([start], []);
    if (i === 0) store.recordEvents([{ ...start, type: 'end', end: time + 5000 }], []);
    store.recordResult(result(time, label), new Map([[label, `e${i}`]]));
  });
  store.flush();
  t.teardown(() => store.close());
  return folder;
}

t.test('detections as JSON lines have the fields of the contract', async (t) => {
  const { status, lines } = query(running(t), '--json', '--label', 'cat');
  t.equal(status, 0);
  t.same(
    lines.map((line) => JSON.parse(line)),
    [
      {
        time: new Date(NOW - 3 * HOUR + 60_000).toISOString(),
        camera: 'front',
        label: 'cat',
        score: 0.8124,
        model: 'ssd_300',
        alpha: 1,
        size: 300,
        box: [1.3, 2, 3, 4],
        event: 'e0',
      },
    ],
  );
});

t.test('events as JSON lines, filtered by time, bounded to the newest', async (t) => {
  const folder = running(t);
  const all = query(folder, '--events', '--json').lines.map((line) => JSON.parse(line));
  t.match(all, [
    { id: 'e0', type: 'end', end: new Date(NOW - 3 * HOUR + 65_000).toISOString() },
    { id: 'e1', type: 'new', end: null },
    { id: 'e2' },
  ]);
  const ids = (...args: string[]) =>
    query(folder, '--events', '--json', ...args).lines.map((line) => JSON.parse(line).id);
  t.same(ids('--since', '2h'), ['e1', 'e2']);
  t.same(ids('--since', '2h', '--until', '90m'), ['e1']);
  t.same(ids('--until', '2000-01-01'), []);
  t.same(ids('--limit', '1'), ['e2']);
  t.same(ids('--limit', '0'), ['e0', 'e1', 'e2']);
  t.same(ids('--camera', 'back'), []);
});

t.test('CSV quotes what must be quoted and always has its header', async (t) => {
  const folder = running(t);
  const { lines } = query(folder, '--csv', '--label', 'say "hi", cat');
  t.equal(lines[0], 'time,camera,label,score,model,alpha,size,box,event');
  t.match(lines[1], /,front,"say ""hi"", cat",0\.8124,ssd_300,1,300,1\.3 2 3 4,e1$/);
  t.equal(query(folder, '--csv', '--label', 'none').lines.length, 1);
});

t.test('the table is for people and does not drive their terminal', async (t) => {
  const folder = running(t);
  const { stdout, lines } = query(folder, '--events');
  t.equal(lines.length, 4);
  t.match(lines[0], /^start +lasted +camera +label/);
  t.notOk(stdout.includes('\u001b'));
  const none = query(folder, '--label', 'none');
  t.equal(none.status, 0);
  t.equal(none.stdout, '');
  t.match(none.stderr, /nothing was recorded/);
});

t.test('what cannot be understood or is not there has its exit code', async (t) => {
  const folder = running(t);
  for (const args of [
    ['--since', 'yesterday'],
    ['--since', '5'],
    ['--limit', '-1'],
    ['--limit', '1.5'],
    ['--json', '--csv'],
    ['--nonsense'],
  ]) {
    const { status, stderr } = query(folder, ...args);
    t.equal(status, 64, args.join(' '));
    t.match(stderr, /MND_USAGE/);
  }
  const missing = query(lastingFolder(t));
  t.equal(missing.status, 66);
  t.match(missing.stderr, /MND_INPUT_MISSING.*no such file.*mobilenetd run/);
});

t.test('what a second network says stands beside the label, in tables, JSON and CSV', async (t) => {
  const folder = lastingFolder(t);
  const store = openStore({
    ...{ file: join(folder, 'mobilenetd.db'), commitInterval: 2, detectionInterval: 0 },
    ...{ retention: { days: 30, maxBytes: 1e9 }, outbox: { maxAge: 3600, maxRows: 100 } },
  });
  t.teardown(() => store.close());
  const bird = {
    ...({ id: 'e1', type: 'new', camera: 'front', label: 'bird', score: 0.9 } as const),
    ...{ start: NOW - HOUR },
    ...{ end: null, model: 'ssd_300', alpha: 1, size: 300, count: 1, box: null },
    ...WHOLE_PICTURE,
  } as const;
  store.recordEvents([bird], []);
  store.recordEvents([{ ...bird, type: 'update', subLabel: 'robin', subScore: 0.75 }], []);
  store.recordEvents([{ ...bird, id: 'e2', label: 'cat' }], []);
  const events = (...args: string[]) => query(folder, '--events', ...args).lines;
  const [, first, second] = events();
  t.match(first, / front +bird: robin +0\.90 +e1$/);
  t.match(second, / front +cat +0\.90 +e2$/);
  t.match(JSON.parse(events('--json')[0] ?? ''), {
    label: 'bird',
    sub_label: 'robin',
    sub_score: 0.75,
  });
  const [header = '', row = '', without = ''] = events('--csv');
  t.match(header, /,sub_label,sub_score$/);
  t.match(row, /,robin,0\.75$/);
  t.match(without, /,,$/);
});
