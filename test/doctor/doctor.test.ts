import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkBroker } from '#mobilenetd/doctor/broker.js';
import { examine } from '#mobilenetd/doctor/doctor.js';
import { type Finding, hasFailed } from '#mobilenetd/doctor/finding.js';
import { checkModel } from '#mobilenetd/doctor/model.js';
import { codedError } from '#mobilenetd/errors.js';
import type { ProbeFault } from '#mobilenetd/mqtt/connection/probe.js';
import { installRandomModel } from '../integration/demo-process.js';
import { configFor, fakeBoard, loadedFor, surroundingsOf } from './fake-board.js';

const RANDOM = { MOBILENETD_MODEL_TASK: 'classify', MOBILENETD_MODEL_NAME: 'random_v1' };

t.test('a model: missing, sound, changed, unknown', async (t) => {
  const { folder } = fakeBoard(t);
  const around = surroundingsOf(folder);
  const missing = await checkModel({ around, config: configFor(folder) });
  t.match(missing, [{ level: 'info', found: 'not installed', next: 'mobilenetd models pull' }]);
  await installRandomModel(join(folder, 'state'));
  const config = configFor(folder, RANDOM);
  t.match(await checkModel({ around, config }), [
    { subject: 'random_v1', level: 'ok', found: /checksum right, 3 labels/ },
    { subject: 'variants', level: 'info', means: /lower the frame rate/ },
  ]);
  const model = join(config.models_dir, 'random_v1');
  const { forms } = JSON.parse(readFileSync(join(model, 'model.json'), 'utf8'));
  const file = join(model, forms.exact.file);
  const bytes = readFileSync(file);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(file, bytes);
  t.match(await checkModel({ around, config }), [
    { level: 'fail', found: /checksum/, next: /models pull --force/ },
    {},
  ]);
  writeFileSync(file, bytes.subarray(1));
  const cut = await checkModel({ around, config });
  t.ok(hasFailed(cut));
  const unknown = configFor(folder, { ...RANDOM, MOBILENETD_MODEL_NAME: 'nothing_like_it' });
  t.match((await checkModel({ around, config: unknown }))[0], {
    level: 'fail',
    next: /models list/,
  });
});

t.test('labels that the model does not have, with the nearest one', async (t) => {
  const { folder } = fakeBoard(t);
  await installRandomModel(join(folder, 'state'));
  const around = surroundingsOf(folder);
  const cases: readonly (readonly [env: NodeJS.ProcessEnv, key: string, found: RegExp])[] = [
    [
      { MOBILENETD_CAMERAS: '{"front":{"source":"libcamera","labels":["lfet"]}}' },
      'cameras.front.labels',
      /lfet.*left/,
    ],
    [{ MOBILENETD_PRESENCE_LABELS: '{"midle":{"enter":0.5}}' }, 'presence.labels', /midle.*middle/],
    [{ MOBILENETD_PRESENCE_GROUPS: '{"sides":["rihgt"]}' }, 'presence.groups', /rihgt.*right/],
    [{ MOBILENETD_HOMEASSISTANT_LABELS: '["zebra"]' }, 'homeassistant.labels', /zebra/],
  ];
  for (const [env, key, found] of cases) {
    const made = await checkModel({ around, config: configFor(folder, { ...RANDOM, ...env }) });
    const finding = made.find(({ subject }) => subject.startsWith(key));
    t.match(finding, { level: 'warn', found, next: /models labels/ }, key);
  }
});

t.test('variables that set nothing', async (t) => {
  const { folder } = fakeBoard(t);
  const found = await examine({
    around: surroundingsOf(folder),
    loadConfig: () =>
      loadedFor(folder, { MOBILENETD_MQTT_URLL: 'x', MOBILENETD_PRESENCE_ENTRE: '1' }),
  });
  const odd = found.filter(({ check, level }) => check === 'configuration' && level === 'warn');
  t.match(odd, [
    { found: /MOBILENETD_MQTT_URLL.*did you mean MOBILENETD_MQTT_URL/, means: 'it sets nothing' },
    { found: /MOBILENETD_PRESENCE_ENTRE.*did you mean MOBILENETD_PRESENCE_ENTER/ },
  ]);
});

t.test('a broker: each fault has its advice', async (t) => {
  const { folder } = fakeBoard(t);
  const config = configFor(folder, { MOBILENETD_MQTT_URL: 'mqtt://me:hunter2@broker.local' });
  const advice: Readonly<Record<ProbeFault, RegExp>> = {
    name: /avahi/,
    refused: /listener 1883/,
    unreachable: /firewall/,
    silent: /port/,
    credentials: /mqtt\.username/,
    tls: /ca_file/,
    subscription: /acl_file/,
    other: /log of the broker/,
  };
  for (const [fault, next] of Object.entries(advice)) {
    const around = surroundingsOf(folder, {
      probeBroker: async (options) => {
        t.match(options, { username: 'me', password: 'hunter2' });
        t.not(options.clientId, 'mobilenetd-board', 'the running daemon is not thrown out');
        return { ok: false, fault: fault as ProbeFault, found: 'so' };
      },
    });
    t.match(await checkBroker({ around, config }), [
      { subject: 'mqtt://broker.local', level: 'fail', found: 'so', next },
    ]);
  }
  t.match(await checkBroker({ around: surroundingsOf(folder), config }), [
    { level: 'ok', found: 'connected as me in 3 ms' },
  ]);
});

t.test('the embedded broker: its port free, taken, forbidden', async (t) => {
  const { folder } = fakeBoard(t);
  const config = configFor(folder);
  const broker = (code: string | null) =>
    checkBroker({ around: surroundingsOf(folder, { tryListen: async () => code }), config });
  t.match(await broker(null), [{ level: 'ok' }]);
  t.match(await broker('EADDRINUSE'), [{ level: 'fail', next: /mqtt:\/\/127\.0\.0\.1:1883/ }]);
  t.match(await broker('EACCES'), [{ level: 'fail', next: /above 1023/ }]);
});

t.test(
  'all checks: one that fails does not end the others, and nothing secret is said',
  async (t) => {
    const { folder } = fakeBoard(t);
    mkdirSync(join(folder, 'state'), { recursive: true });
    const env = { MOBILENETD_MQTT_URL: 'mqtt://me:hunter2@broker' };
    const seen: Finding[] = [];
    const all = await examine({
      around: surroundingsOf(folder, {
        probeBroker: async () => {
          throw new Error('the password hunter2 of mqtt://me:hunter2@broker is odd');
        },
      }),
      loadConfig: () => loadedFor(folder, env),
      checkCameras: async () => {
        throw codedError('MND_CAMERA_FAILED', { found: 'hunter2' });
      },
      onFindings: (found) => seen.push(...found),
    });
    t.same(seen, all);
    t.match(
      all.filter(({ level }) => level === 'fail'),
      [
        { check: 'programs', next: /apt install rpicam-apps/ },
        { check: 'camera', found: /the check failed/ },
        { check: 'broker', found: /the check failed: the password \*+ of mqtt:\/\/\*+@broker/ },
      ],
    );
    t.notMatch(JSON.stringify(all), /hunter2/);
    const checks = new Set(all.map(({ check }) => check));
    const expected =
      'system configuration programs runtime model camera heat power disk broker clock permissions';
    t.same([...checks].sort(), expected.split(' ').sort());
  },
);

t.test(
  'a configuration that cannot be used is a finding, and what needs none goes on',
  async (t) => {
    const { folder } = fakeBoard(t);
    const all = await examine({
      around: surroundingsOf(folder),
      loadConfig: () => loadedFor(folder, { MOBILENETD_PRESENCE_STAY: '2' }),
    });
    t.match(
      all.find(({ check }) => check === 'configuration'),
      { level: 'fail', found: /presence\.stay/, next: /config --check/ },
    );
    t.ok(all.some(({ check }) => check === 'runtime'));
    t.notOk(all.some(({ check }) => check === 'broker'));
    const none = await examine({
      around: surroundingsOf(folder),
      loadConfig: () => loadedFor(folder, { MOBILENETD_CAMERAS: '{}' }),
    });
    t.match(
      none.find(({ check }) => check === 'configuration'),
      { level: 'warn', found: 'no camera' },
    );
  },
);

t.test('on this machine, as a user runs it', async (t) => {
  const { folder } = fakeBoard(t);
  const config = join(folder, 'c.yaml');
  writeFileSync(
    config,
    'cameras: { front: { source: demo } }\nmqtt: { url: "mqtt://me:hunter2@127.0.0.1:9" }\n',
  );
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['dist/cli/main.js', 'doctor', '--config', config, ...args], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, MOBILENETD_STATE: join(folder, 'state') },
    });
  const json = run('--json');
  t.equal(json.status, 1, json.stderr);
  const found = json.stdout
    .trimEnd()
    .split('\n')
    .map((line): Finding => JSON.parse(line));
  t.ok(
    found.every(
      (finding) => Object.keys(finding).join() === 'check,subject,level,found,means,next',
    ),
  );
  t.match(
    found.find(({ check }) => check === 'runtime'),
    { level: 'ok' },
  );
  t.match(
    found.find(({ subject }) => subject === 'camera front'),
    { level: 'ok' },
  );
  t.match(
    found.find(({ check }) => check === 'broker'),
    {
      level: 'fail',
      found: 'nothing listens at this address',
    },
  );
  const text = run('--no-cameras');
  t.match(text.stdout, /^FAIL {2}mqtt:\/\/127\.0\.0\.1:9: nothing listens/m);
  t.match(text.stdout, /^ {6}→ see whether the broker runs there/m);
  t.match(text.stdout, /\d to repair, \d to look at\.\n$/);
  t.notMatch(text.stdout, /camera front/);
  t.notMatch(json.stdout + text.stdout + text.stderr, /hunter2/);
});
