import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

function run(...args: string[]) {
  const done = spawnSync(process.execPath, ['dist/cli/main.js', 'simulate', ...args], {
    encoding: 'utf8',
  });
  return { ...done, lines: done.stdout.split('\n').filter((line) => line !== '') };
}

t.test('all governors: one line a run, and a picture of them over each other', async (t) => {
  const plot = join(t.testdir(), 'all.svg');
  const done = run('--scenario', 'nominal', '--governor', 'all', '--json', '--plot', plot);
  t.equal(done.status, 0, done.stderr);
  t.equal(done.stderr, '', 'no progress where there is no terminal');
  const rows = done.lines.map((line) => JSON.parse(line)).filter((row) => 'governor' in row);
  t.same(
    rows.map((row) => row.governor),
    ['mobilenetd', 'step-wise', 'bang-bang', 'ipa', 'none'],
  );
  const [own] = rows;
  const none = rows.at(-1);
  t.equal(own.seconds_at_limit, 0);
  t.ok(none.seconds_at_limit > 1000, `${none.seconds_at_limit} s at the limit without one`);
  const picture = readFileSync(plot, 'utf8');
  for (const name of ['mobilenetd', 'step-wise', 'bang-bang', 'ipa', 'none']) {
    t.match(picture, new RegExp(`>${name}</text>`));
  }
  t.equal(picture.match(/quality [0-9.]+ %, [0-9]+ s at the limit/g)?.length, 10);
});

t.test('a table, a picture, a log and its replay', async (t) => {
  const dir = t.testdir();
  const files = { plot: join(dir, 'run.svg'), log: join(dir, 'run.jsonl') };
  const done = run('--scenario', 'sun', '--plot', files.plot, '--record', files.log);
  t.equal(done.status, 0, done.stderr);
  t.match(done.stdout, /pi4-case +sun +mobilenetd/);
  t.match(readFileSync(files.plot, 'utf8'), /<svg/);
  const replay = run('--replay', files.log, '--json');
  t.equal(replay.status, 0, replay.stderr);
  t.same(JSON.parse(replay.stdout), { decisions: 3600, differences: [] });
});

t.test('names that do not exist', async (t) => {
  for (const args of [
    ['--board', 'pi9'],
    ['--scenario', 'x'],
    ['--governor', 'y'],
  ]) {
    const done = run(...args);
    t.equal(done.status, 64);
    t.match(done.stderr, /MND_USAGE/);
  }
  t.equal(run('--replay', '/nowhere').status, 66);
});

t.test('Ctrl-C ends it quietly, without a picture', async (t) => {
  const plot = join(t.testdir(), 'run.svg');
  const args = ['dist/cli/main.js', 'simulate', '--board', 'all', '--json', '--plot', plot];
  args.push('--governor', 'all', '--scenario', 'diurnal');
  const child = spawn(process.execPath, args);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  const [status] = await once(child, 'exit');
  t.equal(status, 130);
  t.equal(stderr, '');
  t.notOk(existsSync(plot));
});

t.test('a picture into nowhere is one coded line', async (t) => {
  const done = run('--scenario', 'nominal', '--plot', join(t.testdir(), 'no', 'run.svg'));
  t.equal(done.status, 1);
  t.match(done.stderr, /^mobilenetd: MND_OUTPUT_FAILED: .*\n$/);
});
