import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';

/** What takes tens or hundreds of milliseconds to load, on a small board several times that. */
const HEAVY = [
  '@hono/node-server',
  'aedes',
  'ajv',
  'better-sqlite3',
  'flatbuffers',
  'hono',
  'mqtt',
  'mqtt-packet',
  'multicast-dns',
  'node-libcamera',
  'onnxruntime-node',
  'pino',
  'pino-pretty',
  'prom-client',
  'protobufjs',
  'sharp',
  'tar',
  'yauzl',
];

/** Writes the name of every package that a file of the program imports. It runs in a thread of its own. */
const HOOK = `
import { appendFileSync } from 'node:fs';
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  const isOwn = context.parentURL?.includes('/dist/') && !context.parentURL.includes('/node_modules/');
  const [, name] = /^((?:@[^/]+\\/)?[^/.:]+)(?:\\/|$)/.exec(specifier) ?? [];
  if (isOwn && name !== undefined && found.url.startsWith('file:')) {
    appendFileSync(process.env.LOADED_PACKAGES, name + '\\n');
  }
  return found;
}`;

const dataUrl = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
const REGISTER = dataUrl(
  `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(HOOK))});`,
);

const EMPTY_STATE = t.testdir({
  'config.yaml': 'node: porch\ncameras: { front: { source: demo } }\n',
});
const CONFIG = ['--config', join(EMPTY_STATE, 'config.yaml')];

/** The heavy ones among the packages that a run of Node loads from files of the program. */
function loadedBy(t: Test, words: readonly string[]): readonly string[] {
  const log = join(t.testdir(), 'loaded');
  const { stderr, error } = spawnSync(process.execPath, ['--import', REGISTER, ...words], {
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: EMPTY_STATE,
      MOBILENETD_STATE: EMPTY_STATE,
      LOADED_PACKAGES: log,
    },
    timeout: 120_000,
  });
  if (error !== undefined) throw error;
  t.notMatch(stderr, /MND_INTERNAL|Error \[ERR_/);
  const names = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  return [...new Set(names)].sort();
}

const MAIN = 'dist/cli/main.js';

t.test('the version needs no package at all', (t) => {
  t.same(loadedBy(t, [MAIN, '--version']), []);
  t.end();
});

t.test('light commands load no heavy package', (t) => {
  const commands = [
    '--help',
    'classify --help',
    'status',
    'ctl log-level info',
    'config',
    'config --check',
    'config hash-token',
    'models list',
    'models describe --family mobilenet_v1 --alpha 0.5 --size 128',
    'service install --dry-run',
    'teach --list',
    'notify',
    'completion bash',
  ];
  for (const command of commands) {
    const loaded = loadedBy(t, [MAIN, ...command.split(' '), ...CONFIG]);
    t.ok(loaded.includes('commander'), `${command}: the hook sees what is loaded`);
    t.same(
      loaded.filter((name) => HEAVY.includes(name)),
      [],
      command,
    );
  }
  t.end();
});

t.test('asking the running daemon takes no parser and no schema of the configuration', (t) => {
  t.same(loadedBy(t, [MAIN, 'status', ...CONFIG]), ['commander']);
  t.end();
});

t.test('what reads the database loads nothing heavy but that', (t) => {
  for (const command of ['query', 'events', 'query --events', 'forget --before 1d --dry-run']) {
    const loaded = loadedBy(t, [MAIN, ...command.split(' '), ...CONFIG]);
    t.same(
      loaded.filter((name) => HEAVY.includes(name)),
      ['better-sqlite3'],
      command,
    );
  }
  t.end();
});

t.test('the daemon itself loads what most configurations need; networks run in its worker', (t) => {
  const loaded = loadedBy(t, ['--input-type=module', '-e', "await import('./dist/daemon/app.js')"]);
  t.same(
    loaded.filter((name) => HEAVY.includes(name)),
    ['better-sqlite3', 'mqtt', 'mqtt-packet', 'pino', 'sharp'],
  );
  t.end();
});
