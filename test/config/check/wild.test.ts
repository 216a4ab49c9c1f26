// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what files hold
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isConfigError } from '#mobilenetd/config/check/problem.js';
import { redactConfig, secretsOf } from '#mobilenetd/config/check/secrets.js';
import type { LoadConfigOptions } from '#mobilenetd/config/load.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { messageOf } from '#mobilenetd/errors.js';
import { createMasker, MASK } from '#mobilenetd/mask.js';

type Files = Readonly<Record<string, string | Buffer>>;

/** Loads `/c/config.yaml` of a folder of texts. */
function load(files: Files | string, options: Partial<LoadConfigOptions> = {}) {
  const all: Files = typeof files === 'string' ? { 'config.yaml': files } : files;
  return loadConfig({
    files: ['/c/config.yaml'],
    env: {},
    boardModel: null,
    readFile: (file) => {
      const found = all[file.replace('/c/', '')];
      if (found === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' });
      return Buffer.from(found);
    },
    listFolder: (folder) =>
      Object.keys(all)
        .filter((name) => `/c/${name}`.startsWith(`${folder}/`))
        .map((name) => name.slice(name.lastIndexOf('/') + 1)),
    modeOf: () => 0o600,
    ...options,
  });
}

/** Where, key and message of each problem. */
function problems(files: Files | string, options: Partial<LoadConfigOptions> = {}) {
  try {
    load(files, options);
  } catch (error) {
    if (!isConfigError(error)) throw error;
    return error.problems.map(({ where, key, message }) => [where, key, message] as const);
  }
  return [];
}

t.test('variables stand for texts, numbers, lists and pieces of either', async (t) => {
  const { config, origins } = load(
    `node: "\${NODE}"
cameras:
  front:
    source: rtsp
    url: "rtsp://u:\${CAM_PASSWORD}@192.0.2.1/s"
    fps: \${FPS}
    size: ["\${WIDTH}", 480]
    labels: ["\${LABEL:-cat}", dog]
    enabled: \${ON}
  back: { source: demo, labels: "\${LABELS}" }
mqtt: { url: "\${BROKER:-}", username: me, password: "a$\${b}\${NUMBER}$" }
governor: { limit: "\${LIMIT:-75.5}" }
`,
    {
      env: {
        NODE: 'porch',
        CAM_PASSWORD: 'hunter2',
        FPS: '2.5',
        WIDTH: '320',
        ON: 'no',
        LABELS: 'person, cup',
        NUMBER: '0123',
      },
    },
  );
  t.equal(config.node, 'porch');
  t.match(config.cameras.front, {
    url: 'rtsp://u:hunter2@192.0.2.1/s',
    fps: 2.5,
    size: [320, 480],
    labels: ['cat', 'dog'],
    enabled: false,
  });
  t.same(config.cameras.back?.labels, ['person', 'cup']);
  t.equal(config.mqtt.url, null, 'nothing is null where null has a meaning');
  t.equal(config.mqtt.password, 'a${b}0123$');
  t.equal(config.governor.limit, 75.5);
  t.equal(origins.get('cameras.front.fps'), '/c/config.yaml:6');
});

t.test('a reference that leads nowhere is a problem, wherever it stands', async (t) => {
  const yaml = `mqtt: { username: a, password: "hunter2\${MQTT_PASSWORD}" }
cameras:
  a: { source: rtsp, url: "rtsp://u:\${CAM}@h" }
  b: { source: demo, labels: ["\${L}"], fps: "\${F:?no}" }
x-notes: "\${X}"
`;
  const found = problems(yaml);
  t.same(
    found.map(([where, key]) => [where, key]),
    [
      ['/c/config.yaml:1', 'mqtt.password'],
      ['/c/config.yaml:3', 'cameras.a.url'],
      ['/c/config.yaml:4', 'cameras.b.labels.0'],
      ['/c/config.yaml:4', 'cameras.b.fps'],
      ['/c/config.yaml:5', 'x-notes'],
    ],
  );
  t.match(found[0]?.[2], /MQTT_PASSWORD is not set/);
  t.match(found[3]?.[2], /not understood/);
  t.notMatch(found.join(), /hunter2/);
  for (const typo of ['hunter2${MQTT', '${', 'a${b:-c', '${A:-${B:-c}}', '${A-b}', '${A:?b}']) {
    const told = problems(JSON.stringify({ mqtt: { username: 'a', password: typo } }));
    t.match(told, [['/c/config.yaml:1', 'mqtt.password', /not understood/]], typo);
  }
  const escaped = load(JSON.stringify({ mqtt: { username: 'a', password: 'x$${y$${z}' } }));
  t.equal(escaped.config.mqtt.password, 'x${y${z}');
  const variable = problems('node: a', { env: { MOBILENETD_MQTT_PASSWORD: '${MQTT_PASSWORD}' } });
  t.match(variable, [['MOBILENETD_MQTT_PASSWORD', 'mqtt.password', /nothing puts a value for/]]);
});

t.test('values that came from elsewhere are checked as others are', async (t) => {
  t.match(problems('presence: { enter: "${E}" }', { env: { E: 'high' } }), [
    ['/c/config.yaml:1', 'presence.enter', /from 0 to 1; found text "high"/],
  ]);
  const files = { 'config.yaml': 'log: { level: !secret l }', 'secrets.yaml': 'l: hunter2' };
  t.match(problems(files), [['/c/config.yaml:1', 'log.level', /found text that is not shown/]]);
  t.match(problems('mqtt: ${M}', { env: { M: 'hunter2' } }), [
    ['/c/config.yaml:1', 'mqtt', /found text that is not shown/],
  ]);
});

t.test('secrets come from the file beside, and are masked wherever they stand', async (t) => {
  const { config } = load(
    {
      'config.yaml': `cameras: { front: { source: rtsp, url: !secret front_url, labels: [!secret who] } }
mqtt: { url: "mqtt://b", username: !secret user, password: !secret pin, base: !secret base }
`,
      'secrets.yaml': `front_url: rtsp://admin:s3cret@192.0.2.1/s
who: grandmother
user: porch-board
pin: 0123
base: "\${HOUSE}"
`,
    },
    { env: { HOUSE: 'villa' } },
  );
  t.match(config.mqtt, { username: 'porch-board', password: '0123', base: 'villa' });
  t.same(config.cameras.front?.labels, ['grandmother']);
  const shown = JSON.stringify(redactConfig(config));
  const mask = createMasker(secretsOf(config));
  for (const secret of ['s3cret', 'grandmother', 'porch-board', '0123', 'villa']) {
    t.notOk(shown.includes(secret), secret);
    t.notOk(mask(`cannot use ${secret} here`).includes(secret), secret);
  }
  t.equal(redactConfig(config).mqtt.base, MASK);
});

t.test('variables in an address or for a user are masked too', async (t) => {
  const { config } = load('mqtt: { url: "mqtt://${HOST}", username: "${WHO}" }\nnode: "${N}"', {
    env: { HOST: 'hidden.example', WHO: 'somebody', N: 'porch' },
  });
  const mask = createMasker(secretsOf(config));
  t.equal(mask('hidden.example somebody porch'), `${MASK} ${MASK} porch`);
});

t.test('a file of secrets that cannot be used is told of once', async (t) => {
  const yaml = 'mqtt: { username: !secret a, password: !secret b }';
  const files = (secrets: string) => ({ 'config.yaml': yaml, 'secrets.yaml': secrets });
  t.match(problems(yaml), [['/c/secrets.yaml', '', /no such file; !secret NAME takes/]]);
  t.match(problems(files('a: x\nb: [1]')), [['/c/secrets.yaml:2', '', /a name and a text/]]);
  t.match(problems(files('a: "x')), [['/c/secrets.yaml:1', '', /not YAML/]]);
  t.match(problems(files('a: x\na: y')), [['/c/secrets.yaml:2', '', /stands here twice/]]);
  t.match(problems(files('- x')), [['/c/secrets.yaml:1', '', /expected lines/]]);
  t.match(problems(files('a: x\npb: y')), [
    ['/c/config.yaml:1', 'mqtt.password', /no secret "b"; did you mean pb\?|no secret "b"/],
  ]);
  t.match(problems(files('a: x\nb: ""')), [
    ['/c/config.yaml:1', 'mqtt.password', /the secret "b" is empty/],
  ]);
  t.match(problems(files('a: x\nb: "${NOBODY}"')), [
    ['/c/secrets.yaml:2', '', /NOBODY is not set/],
  ]);
  t.match(problems(files('a: x\nb: y'), { modeOf: () => 0o100644 }), [
    ['/c/secrets.yaml', '', /everybody on this machine can read it \(mode 0644\); chmod o=/],
  ]);
  t.same(problems(files('a: x\nb: y'), { modeOf: () => 0o100640 }), []);
  t.same(problems(files('a: x\nb: y'), { modeOf: () => null }), []);
});

t.test('the mode is that of the file', async (t) => {
  const folder = t.testdir({ 'config.yaml': 'node: !secret n', 'secrets.yaml': 'n: porch' });
  const options = { files: [join(folder, 'config.yaml')], env: {} };
  chmodSync(join(folder, 'secrets.yaml'), 0o604);
  t.throws(() => loadConfig(options), /secrets\.yaml: everybody on this machine can read it/);
  chmodSync(join(folder, 'secrets.yaml'), 0o600);
  t.equal(loadConfig(options).config.node, 'porch');
});

t.test('keys that begin with x- are free, and << merges', async (t) => {
  const { config, origins } = load(`x-labels: &l [person, cup]
x-cam: &cam
  source: demo
  fps: 2
  size: [320, 240]
x-more: &more { fps: 9, rotation: 180, controls: {} }
cameras:
  x-front: { <<: *cam, labels: *l, x-note: by the door }
  back:
    fps: 5
    <<: [*cam, *more]
    x-anything: { of: [the, user] }
  side: { <<: { <<: *cam, fps: 3 } }
presence: { x-why: because }
`);
  t.match(config.cameras['x-front'], { source: 'demo', fps: 2, labels: ['person', 'cup'] });
  t.match(config.cameras.back, { fps: 5, size: [320, 240], rotation: 180 });
  t.match(config.cameras.side, { fps: 3, size: [320, 240] });
  t.equal(origins.get('cameras.back.fps'), '/c/config.yaml:10');
  t.equal(origins.get('cameras.back.size'), '/c/config.yaml:5', 'where it is written');
  t.match(problems('cameras: { a: { <<: 3, source: demo } }'), [
    ['/c/config.yaml:1', 'cameras.a', /expected << with a mapping/],
  ]);
  t.match(problems('a: &a { <<: *a }\n'), [['/c/config.yaml:1', 'a', /./]]);
  t.match(problems('x: 1')[0]?.[2], /unknown key/);
});

t.test('what many cameras share by anchors is no bomb', async (t) => {
  const cameras = Array.from(
    { length: 150 },
    (_, i) => `  c${i}: { <<: *c, labels: *l, mask: *m }\n`,
  );
  const { config } = load(`x-a: &a { source: demo }
x-b: &b { <<: *a, fps: 3 }
x-c: &c { <<: [*b, { rotation: 180 }] }
x-l: &l [person]
x-m: &m [[[0, 0], [9, 0], [9, 9]]]
cameras:
${cameras.join('')}`);
  t.equal(Object.keys(config.cameras).length, 150);
  t.match(config.cameras.c149, { source: 'demo', fps: 3, rotation: 180, labels: ['person'] });
});

t.test('what all cameras share', async (t) => {
  const { config, origins } = load(
    {
      'config.yaml': `camera_defaults:
  source: rtsp
  fps: 3
  transport: udp
  time_zone: UTC
  presence: { enter: 0.8 }
cameras:
  door: { url: "rtsp://192.0.2.1/s", fps: 7 }
  yard: { source: demo, presence: { enter: 0.9 }, schedule: ["08:00-18:00"] }
`,
    },
    { env: { MOBILENETD_CAMERA_DEFAULTS_STALL_TIMEOUT: '33' } },
  );
  t.match(config.cameras.door, {
    source: 'rtsp',
    fps: 7,
    transport: 'udp',
    time_zone: null,
    stall_timeout: 33,
    presence: { enter: 0.8, stay: null },
  });
  t.match(config.cameras.yard, {
    source: 'demo',
    fps: 3,
    transport: 'tcp',
    time_zone: 'UTC',
    presence: { enter: 0.9 },
  });
  t.equal(origins.get('cameras.yard.fps'), '/c/config.yaml:3');
  t.equal(origins.get('cameras.door.stall_timeout'), 'MOBILENETD_CAMERA_DEFAULTS_STALL_TIMEOUT');
  t.notOk('camera_defaults' in config);
  t.match(problems('camera_defaults: { fsp: 3, fps: 0 }'), [
    ['/c/config.yaml:1', 'camera_defaults.fsp', /did you mean camera_defaults\.fps\?/],
    ['/c/config.yaml:1', 'camera_defaults.fps', /from 0\.05 to 120/],
  ]);
  const pi3 = load('camera_defaults: { fps: 4 }\ncameras: { a: { source: demo } }', {
    boardModel: 'Raspberry Pi 3 Model B',
    readFile: (file) =>
      Buffer.from(
        file.endsWith('pi3.yaml')
          ? 'camera_defaults: { fps: 5 }'
          : 'camera_defaults: { fps: 4 }\ncameras: { a: { source: demo } }',
      ),
  });
  t.equal(pi3.config.cameras.a?.fps, 4, 'over that of the board');
});

t.test('variables that nothing knows are named and ignored', async (t) => {
  const { config, warnings } = load('node: a', {
    env: {
      MOBILENETD_MQTT_URI: 'mqtt://b',
      MOBILENETD_CAMERAS_FRONT_FPS: '3',
      MOBILENETD_ZZZZZZZZZZZZ: '1',
      MOBILENETD_PORT: 'tcp://10.0.0.1:8080',
      MOBILENETD_SERVICE_HOST: '10.0.0.1',
      MOBILENETD_SERVICE_PORT: '8080',
      MOBILENETD_SERVICE_PORT_HTTP: '8080',
      MOBILENETD_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
      MOBILENETD_PORT_8080_TCP_ADDR: '10.0.0.1',
      MOBILENETD_MQTT_SERVICE_HOST: '10.0.0.1',
      MOBILENETD_MQTT_PORT_1883_TCP_PROTO: 'tcp',
    },
  });
  t.equal(config.node, 'a');
  t.match(warnings, [
    { where: 'MOBILENETD_CAMERAS_FRONT_FPS', message: /set MOBILENETD_CAMERAS to a JSON object/ },
    { where: 'MOBILENETD_MQTT_URI', message: /did you mean MOBILENETD_MQTT_URL \(mqtt\.url\)\?/ },
    { where: 'MOBILENETD_ZZZZZZZZZZZZ', message: /^ignored: unknown variable$/ },
    { where: /^MOBILENETD_/, message: /with 7 more that a container platform sets/ },
  ]);
  t.equal(warnings.length, 4);
});

t.test('what editors leave in a file of one secret is no part of it', async (t) => {
  const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le');
  for (const file of [
    'hunter2',
    '\uFEFFhunter2',
    'hunter2 ',
    'hunter2\t\r\n',
    '\uFEFFhunter2\n\n',
    utf16('hunter2\r\n'),
    utf16('hunter2').swap16(),
  ]) {
    const { config } = load({
      'config.yaml': 'mqtt: { username: me, password_file: pw }',
      pw: file,
    });
    t.equal(config.mqtt.password, 'hunter2', JSON.stringify(String(file)));
  }
  const broken = {
    'config.yaml': 'mqtt: { username: me, password_file: pw }',
    pw: Buffer.of(0xe9),
  };
  t.match(problems(broken), [['/c/config.yaml:1', 'mqtt.password_file', /not UTF-8/]]);
});

t.test('overlays of conf.d lie over the file, in the order of their names', async (t) => {
  const { config, origins } = load({
    'config.yaml': 'node: main\nlog: { level: warn }\nmqtt: { username: me, password: !secret pw }',
    'conf.d/20-b.yaml': 'node: second\ncameras: { b: { source: demo, fps: 2 } }',
    'conf.d/10-a.yaml': 'node: first\ncameras: { b: { source: demo, fps: 9 } }',
    'conf.d/30-c.yml': 'mqtt: { password: !secret other }',
    'conf.d/.hidden.yaml': 'nonsense',
    'conf.d/old.yaml.bak': 'nonsense',
    'conf.d/secrets.yaml': 'nonsense',
    'secrets.yaml': 'pw: a-a-a\nother: b-b-b',
  });
  t.equal(config.node, 'second');
  t.equal(config.log.level, 'warn');
  t.equal(config.cameras.b?.fps, 2);
  t.equal(config.mqtt.password, 'b-b-b');
  t.equal(origins.get('node'), '/c/conf.d/20-b.yaml:1');
  t.match(problems({ 'config.yaml': '', 'conf.d/x.yaml': 'nod: 1' }), [
    ['/c/conf.d/x.yaml:1', 'nod', /did you mean node\?/],
  ]);
});

t.test('conf.d of the system is read without a file beside it', async (t) => {
  const folder = t.testdir({});
  mkdirSync(join(folder, 'conf.d'));
  writeFileSync(join(folder, 'conf.d/a.yaml'), 'node: overlay');
  const systemFile = join(folder, 'config.yaml');
  t.equal(loadConfig({ env: {}, systemFile }).config.node, 'overlay');
});

t.test('what was masked is not taken for a secret', async (t) => {
  t.match(
    problems(`mqtt: { url: "mqtt://${MASK}@b", username: me, password: "${MASK}" }
cameras: { a: { source: rtsp, url: "rtsp://c/s?channel=${MASK}" } }`),
    [
      ['/c/config.yaml:1', 'mqtt.url', /stands for a secret that was not shown/],
      ['/c/config.yaml:1', 'mqtt.password', /stands for a secret/],
      ['/c/config.yaml:2', 'cameras.a.url', /stands for a secret/],
    ],
  );
});

t.test('errors never hold what came from elsewhere', async (t) => {
  const files = {
    'config.yaml': 'mqtt: { url: !secret url, nonsense: !secret url }\nnode: !secret node',
    'secrets.yaml': 'url: mqtt://u:hunter2@@@//#\nnode: hunter2 hunter2',
  };
  try {
    load(files);
    t.fail('accepted');
  } catch (error) {
    t.notMatch(messageOf(error), /hunter2/);
  }
});
