import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MAIN } from '../integration/daemon-process.js';

const README = readFileSync('README.md', 'utf8');
t.setTimeout(600_000);

t.test('README is one screen, and shows what is there', async (t) => {
  t.ok(README.split('\n').length <= 81, 'at most 80 lines');
  t.match(README, 'docs/pictures/terminal-demo.svg');
});

t.test('the lines of README that people change are a configuration', async (t) => {
  const [, yaml = ''] = /<!-- ten lines -->\n```yaml\n([\s\S]*?)```/.exec(README) ?? [];
  t.equal(yaml.trim().split('\n').length, 10);
  const folder = t.testdir({ mqtt: 'secret', 'ntfy-topic': 'porch' });
  const file = join(folder, 'config.yaml');
  writeFileSync(file, yaml.replaceAll('/etc/mobilenetd/', `${folder}/`));
  const env = { PATH: process.env.PATH, HOME: folder, MOBILENETD_STATE: folder };
  const check = spawnSync(process.execPath, [MAIN, '--config', file, 'config', '--check'], {
    encoding: 'utf8',
    env,
  });
  t.equal(check.stdout, 'ok\n', check.stderr);
});

t.test('the recorded terminal is what the demo says today', async (t) => {
  const args = ['scripts/record-terminal.mjs', '--check'];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
  t.equal(run.status, 0, run.stderr);
  if (run.stdout.includes('SKIPPED')) t.comment(run.stdout);
});
