import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import { broker, home } from '../integration/daemon-home.js';
import { configOf, MAIN } from '../integration/daemon-process.js';
import { lastingFolder } from '../lasting-folder.js';

const README = readFileSync('README.md', 'utf8');
const { version: VERSION } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
};
t.setTimeout(600_000);

t.test('README is one screen, and shows what is there', async (t) => {
  t.ok(README.split('\n').length <= 56, 'at most 55 lines');
  t.match(README, 'docs/pictures/terminal-demo.svg');
});

t.test('the lines of README that people change are a configuration', async (t) => {
  const [, yaml = ''] = /<!-- ten lines -->\n```yaml\n([\s\S]*?)```/.exec(README) ?? [];
  t.equal(yaml.trim().split('\n').length, 10);
  const folder = lastingFolder(t, { mqtt: 'secret', 'ntfy-topic': 'porch' });
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

/** Who runs what README says. */
const RUN_BY: Readonly<Record<string, readonly string[]>> = {
  'npm ci && npm run demo': ['.ci/run', 'scripts/check-demo.mjs'],
  'node scripts/record-terminal.mjs': ['test/slow/readme.test.ts'],
  [`sudo apt install ./mobilenetd_${VERSION}-1_arm64.deb`]: [
    'scripts/vm-test',
    'scripts/test-arm64',
  ],
  [`sudo apt install ./mobilenetd_${VERSION}-1_amd64.deb`]: ['scripts/test-zero'],
  'docker compose -f packaging/container/compose.yaml up -d': ['scripts/test-container'],
  'npm ci && npm run build && npx mobilenetd run --config my.yaml': ['test/slow/readme.test.ts'],
  'sudo mobilenetd setup': ['test/slow/setup.test.ts'],
  'mobilenetd config --check': ['test/slow/readme.test.ts'],
  'npm ci && npm test': ['.ci/run'],
};

t.test('no command of README is without somebody who runs it', async (t) => {
  const blocks = [...README.matchAll(/```sh\n([\s\S]*?)```/g)];
  const lines = blocks.flatMap(([, block = '']) => block.trim().split('\n'));
  const inText = [...README.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);
  const commands = inText.filter((text) => /^(sudo|npm|npx|node|docker|mobilenetd) /.test(text));
  t.same(new Set([...lines, ...commands]), new Set(Object.keys(RUN_BY)));
  for (const file of Object.values(RUN_BY).flat()) t.ok(existsSync(file), file);
  t.match(readFileSync('.ci/run', 'utf8'), 'scripts/check-demo');
});

t.test('a checkout runs as README says, with a configuration beside it', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  writeFileSync(join(folder, 'my.yaml'), configOf({ url, pictures, cameras: ['front'] }));
  const [, words = ''] = /&& npx (mobilenetd run --config my\.yaml)`/.exec(README) ?? [];
  const args = words.replace('my.yaml', relative('.', join(folder, 'my.yaml'))).split(' ');
  const env = { PATH: process.env.PATH, HOME: folder, MOBILENETD_STATE: folder };
  const daemon = spawn('npx', args, { env, detached: true, stdio: 'ignore' });
  t.teardown(() => {
    if (daemon.exitCode === null && daemon.signalCode === null)
      process.kill(-(daemon.pid ?? 0), 'SIGKILL');
  });
  t.ok(await listener.until('front/status', 'online'));
  const asked = spawnSync('npx', ['mobilenetd', 'status', '--json'], { env, encoding: 'utf8' });
  t.equal(asked.stderr, '');
  t.match(JSON.parse(asked.stdout), { node: 'board' }, 'nothing but JSON: `| jq` can read it');
  const ended = once(daemon, 'exit');
  process.kill(-(daemon.pid ?? 0), 'SIGINT');
  t.ok(await listener.until('state', 'offline'), 'Ctrl-C ends it');
  await ended;
});
