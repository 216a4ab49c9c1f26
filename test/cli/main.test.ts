import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const MAIN = 'dist/cli/main.js';
const SAMPLE = fileURLToPath(new URL('./sample-program.js', import.meta.url));

/** The environment without this program's variables, which a test may set for its own purposes. */
const CLEAN_ENV = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('MOBILENETD_')),
);

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}, script = MAIN): Run {
  return spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    env: { ...CLEAN_ENV, ...env },
    timeout: 120_000,
  });
}

/** Starts a command of the sample program and waits for its first output. */
async function start(command: string) {
  const child = spawn(process.execPath, [SAMPLE, command], { env: CLEAN_ENV });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  await once(child.stdout, 'data');
  return {
    child,
    ended: async () => {
      const [status, signal] = await once(child, 'close');
      return { status, signal, stderr };
    },
  };
}

t.test('--version and --help', async (t) => {
  const version = run(['--version']);
  t.match(version, { status: 0, stdout: /^\d+\.\d+\.\d+( \([0-9a-f]{9}\))?\n$/, stderr: '' });
  const { stdout } = run(['--debug', '-V']);
  t.equal(stdout, version.stdout, 'with the commit, whatever else is said');
  const help = run(['--help']);
  t.match(help, { status: 0, stderr: '' });
  t.match(help.stdout, /config {2,}show the effective configuration/);
  t.match(help.stdout, /Exit codes: 0 done, 1 failed, 64 usage/);
  const command = run(['config', '--help']);
  t.match(command, { status: 0, stdout: /--check[\s\S]*Global Options:[\s\S]*--config <file>/ });
});

t.test('a command line that is not understood ends with 64 and a suggestion', async (t) => {
  for (const [args, message] of [
    [['confg'], /^mobilenetd: MND_USAGE: unknown command 'confg'.*did you mean config\?\n$/],
    [['config', '--chekc'], /MND_USAGE: unknown option '--chekc'.*did you mean --check\?/],
    [['config', 'extra'], /MND_USAGE: too many arguments/],
    [['config', '--config'], /MND_USAGE: option '-c, --config <file>' argument missing/],
  ] as const) {
    t.match(run(args), { status: 64, stdout: '', stderr: message });
  }
  t.match(run([]), { status: 64, stdout: '', stderr: /Usage: mobilenetd/ });
});

t.test('config shows values, their origins and no secret', async (t) => {
  const folder = t.testdir({
    'a.yaml': 'mqtt: { url: "mqtt://me:hunter2@broker" }\n',
    'b.json': '{"log": {"level": "warn"}}',
  });
  const files = ['--config', `${folder}/a.yaml`, '--config', `${folder}/b.json`];
  const text = run(['config', ...files], { MOBILENETD_NODE: 'porch' });
  t.match(text, { status: 0, stderr: '' });
  t.match(text.stdout, /^node: porch # MOBILENETD_NODE$/m);
  t.match(text.stdout, /^ {2}level: warn # .*b\.json:1$/m);
  t.match(text.stdout, /^ {2}password: !secret mqtt_password # \*{8}, .*a\.yaml:1$/m);
  const json = run([...files, 'config', '--json']);
  t.equal(json.stdout.trimEnd().split('\n').length, 1);
  const { config, origins } = JSON.parse(json.stdout);
  t.match(config.mqtt, { url: 'mqtt://broker', username: 'me', password: '********' });
  t.match(origins, { 'log.level': /b\.json:1$/, 'log.format': 'default' });
  t.notMatch(text.stdout + json.stdout, /hunter2/);
});

const CAMERA = 'cameras: { front: { source: demo } }\n';

t.test('config --check', async (t) => {
  const folder = t.testdir({
    'good.yaml': 'node: porch\ncameras: { front: { source: demo } }\n',
    'empty.yaml': 'node: porch\n',
    'classifier.yaml': `model: { name: mobilenet_v1_0.5_160_quant }\n${CAMERA}`,
    'own.yaml': `model: { name: my_birds }\n${CAMERA}`,
    'bad.yaml': 'nod: porch\nmqtt:\n  url: "ftp://me:hunter2@broker"\n',
  });
  const good = ['config', '--check', '--config', `${folder}/good.yaml`];
  t.match(run(good), { status: 0, stdout: 'ok\n', stderr: '' });
  t.same(JSON.parse(run([...good, '--json']).stdout), { ok: true, problems: [] });

  const bad = ['config', '--check', '--config', `${folder}/bad.yaml`];
  const told = run(bad);
  t.match(told, { status: 78, stdout: '' });
  t.match(told.stderr, /^mobilenetd: MND_CONFIG_INVALID: .*found 2 problems\n/);
  t.match(told.stderr, /bad\.yaml:1: nod: unknown key; did you mean node\?\n/);
  t.match(told.stderr, /bad\.yaml:3: mqtt\.url: expected an address/);
  const json = run([...bad, '--json']);
  t.equal(json.status, 78);
  t.match(JSON.parse(json.stdout), { ok: false, problems: [{ key: 'nod' }, { key: 'mqtt.url' }] });
  t.notMatch(told.stderr + json.stdout + json.stderr, /hunter2/);

  const empty = run(['config', '--check', '--json', '--config', `${folder}/empty.yaml`]);
  t.match(empty, { status: 78, stderr: /cameras: expected at least one camera/ });
  t.match(JSON.parse(empty.stdout), { ok: false, problems: [{ key: 'cameras' }] });

  const classifier = run(['config', '--check', '--config', `${folder}/classifier.yaml`]);
  t.match(classifier, {
    status: 78,
    stdout: '',
    stderr: /:1: model\.name: .*write model\.task: class/,
  });
  const own = run(['config', '--check', '--config', `${folder}/own.yaml`]);
  t.match(own, {
    status: 0,
    stdout: 'ok\n',
    stderr: /warning: .*:1: model\.name: my_birds: no model/,
  });

  const missing = run(['config', '--check', '--config', `${folder}/none.yaml`]);
  t.match(missing, { status: 78, stderr: /MND_CONFIG_UNREADABLE: .*none\.yaml.*no such file/ });
  const variable = run(['config'], { MOBILENETD_MQTT_URLL: 'x' });
  t.match(variable, { status: 0, stderr: /warning: .*did you mean MOBILENETD_MQTT_URL \(mqtt/ });
});

t.test('errors have a code, and a stack only when it is asked for', async (t) => {
  const refused = run(['refuse'], {}, SAMPLE);
  t.match(refused, {
    status: 66,
    stderr: /^mobilenetd: MND_INPUT_MISSING: cat\.jpg: [^\n]*\n$/,
  });
  const defect = run(['defect'], {}, SAMPLE);
  t.match(defect, { status: 1, stderr: /^mobilenetd: MND_INTERNAL: cannot open [^\n]*\n$/ });
  const options: readonly [string[], NodeJS.ProcessEnv][] = [
    [['--debug'], {}],
    [[], { MOBILENETD_DEBUG: '1' }],
  ];
  for (const [args, env] of options) {
    const debug = run(['defect', ...args], env, SAMPLE);
    t.match(debug, { status: 1, stderr: /\n +at [\s\S]*caused by Error: the cause/ });
    t.notMatch(debug.stderr, /hunter2/);
  }
  t.notMatch(run(['defect'], { MOBILENETD_DEBUG: '0' }, SAMPLE).stderr, /\n +at /);
});

t.test('signals end a command', async (t) => {
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const wait = await start('wait');
    wait.child.kill(signal);
    t.match(await wait.ended(), { status, stderr: '' }, `${signal}: cut short`);
    for (const command of ['library', 'library-below']) {
      const library = await start(command);
      library.child.kill(signal);
      t.match(await library.ended(), { status, stderr: '' }, `${signal}: ${command} cut short`);
    }
    const daemon = await start('daemon');
    daemon.child.kill(signal);
    t.match(
      await daemon.ended(),
      { status: 0, stderr: 'stopped in order\n' },
      `${signal}: in order`,
    );
    const deaf = await start('deaf');
    deaf.child.kill(signal);
    t.match(await deaf.ended(), { status: null, signal, stderr: '' }, `${signal}: default action`);
  }
});

t.test('a reader that goes away ends a command quietly', async (t) => {
  const flood = await start('flood');
  flood.child.stdout.destroy();
  t.match(await flood.ended(), { status: 0, stderr: '' });
  const stream = await start('stream');
  stream.child.stdout.destroy();
  t.match(await stream.ended(), { status: 0, stderr: 'stopped in order\n' });
});

t.test('what every command loads draws no pictures and runs no networks', (t) => {
  const script = `
    import { createRequire } from 'node:module';
    await import('#mobilenetd/cli/process-context.js');
    await import('#mobilenetd/cli/events.js');
    await import('#mobilenetd/cli/query.js');
    await import('#mobilenetd/cli/status.js');
    const { _cache: loaded } = createRequire(import.meta.url)('node:module');
    console.log(Object.keys(loaded).filter((file) => /node_modules\\/(sharp|onnxruntime-node)\\//.test(file)).join('\\n'));`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', script],
    { encoding: 'utf8', env: CLEAN_ENV, timeout: 120_000 },
  );
  t.equal(status, 0, stderr);
  t.equal(
    stdout.trim(),
    '',
    'a native library of pictures takes longer to load than most commands run',
  );
  t.end();
});
