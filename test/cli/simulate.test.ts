import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

function run(...args: string[]) {
  const done = spawnSync(process.execPath, ['dist/cli/main.js', 'simulate', ...args], {
    encoding: 'utf8',
  });
  return { ...done, lines: done.stdout.split('\n').filter((line) => line !== '') };
}

t.test('one line a run', async (t) => {
  const done = run('--scenario', 'nominal', '--governor', 'all', '--json');
  t.equal(done.status, 0, done.stderr);
  const rows = done.lines.map((line) => JSON.parse(line));
  t.same(
    rows.map((row) => row.governor),
    ['mobilenetd', 'step-wise', 'none'],
  );
  const [own, , none] = rows;
  t.equal(own.seconds_at_limit, 0);
  t.ok(none.seconds_at_limit > 1000, `${none.seconds_at_limit} s at the limit without one`);
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
