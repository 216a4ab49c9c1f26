import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CONTROLS } from '#mobilenetd/camera/sources/libcamera/control-keys.js';
import type { Config } from '#mobilenetd/config/config.js';
import type { LoadConfigOptions } from '#mobilenetd/config/load.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { readablePlaces } from '#mobilenetd/config/readable-places.js';
import { parseListen, parseSize } from '#mobilenetd/config/schema/formats.js';
import { KNOWN_KEYS } from '#mobilenetd/config/schema/keys.js';

/** Loads from texts; `/etc` and this machine's name play no part. */
function load(files: readonly string[], options: Partial<LoadConfigOptions> = {}) {
  const texts = new Map(files.map((text, index) => [`/conf/${index}.yaml`, text]));
  return loadConfig({
    files: [...texts.keys()],
    env: {},
    hostname: 'porch.example.org',
    systemFile: '/nowhere/config.yaml',
    systemState: '/nowhere',
    cwd: '/cwd',
    readFile: (file) => {
      const text = texts.get(file);
      if (text === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' });
      return Buffer.from(text);
    },
    ...options,
  });
}

t.test('without any file the defaults hold', async (t) => {
  const { config, origins } = load([], { packageRoot: '/opt/none', env: { HOME: '/home/me' } });
  t.equal(config.node, 'porch');
  t.equal(config.state_dir, '/home/me/.local/state/mobilenetd');
  t.equal(config.models_dir, '/home/me/.local/state/mobilenetd/models');
  t.same(config.cameras, {});
  t.match(config.presence, { enter: 0.6, stay: 0.4, off_delay: 5, min_frames: 2 });
  t.match(config.model, { task: 'detect', name: 'auto', threads: 'auto', form: 'auto' });
  t.match(config.governor, { enabled: 'auto', limit: 'auto', margin: 1.5, prefer: 'accuracy' });
  t.match(config.mqtt, { url: null, password: null, embedded: { listen: '127.0.0.1:1883' } });
  t.equal(origins.get('presence.enter'), 'default');
});

t.test('a camera has the defaults of its schema', async (t) => {
  const { config, origins } = load(['cameras:\n  front:\n    source: demo\n']);
  t.same(config.cameras.front, {
    enabled: true,
    name: null,
    source: 'demo',
    scene: 'street',
    capture: 'stream',
    still_interval: 60,
    controls: {
      ...Object.fromEntries(Object.keys(CONTROLS).map((name) => [name, null])),
      hflip: false,
      vflip: false,
    },
    device: null,
    url: null,
    username: null,
    password: null,
    password_file: null,
    verify: true,
    interval: 1,
    hardware: 'none',
    transport: 'tcp',
    input_format: 'auto',
    path: null,
    loop: true,
    size: [640, 480],
    fps: 10,
    rotation: 0,
    crop: null,
    mask: [],
    labels: 'all',
    presence: { enter: null, stay: null, off_delay: null, min_frames: null },
    schedule: [],
    time_zone: null,
    snapshot_size: null,
    stall_timeout: 10,
    motion: { enabled: false, sensitivity: 0.5, refresh: 10 },
    ...{ zones: {}, required_zones: [], objects: {} },
    ...{ min_area: null, max_area: null, min_ratio: null, max_ratio: null },
  });
  t.equal(origins.get('cameras.front.source'), '/conf/0.yaml:3');
  t.equal(origins.get('cameras.front.fps'), 'default');
});

t.test('later layers win, key by key', async (t) => {
  const { config, origins } = load(
    [
      'cameras: { front: { source: demo, fps: 3 } }\npresence: { enter: 0.7 }\nlog: { level: warn }',
      'cameras:\n  front: { fps: 4 }\n  back: { source: libcamera }\npresence: { enter: 0.8 }\nmqtt:',
    ],
    {
      env: { MOBILENETD_PRESENCE_ENTER: '0.9', MOBILENETD_NODE: 'env' },
      flags: { node: 'flag', 'mqtt.url': undefined },
    },
  );
  t.same(Object.keys(config.cameras), ['front', 'back']);
  t.match(config.cameras.front, { source: 'demo', fps: 4 });
  t.equal(config.presence.enter, 0.9);
  t.equal(config.log.level, 'warn');
  t.equal(config.node, 'flag');
  t.equal(origins.get('cameras.front.source'), '/conf/0.yaml:1');
  t.equal(origins.get('cameras.front.fps'), '/conf/1.yaml:2');
  t.equal(origins.get('presence.enter'), 'MOBILENETD_PRESENCE_ENTER');
  t.equal(origins.get('node'), '--flag');
  t.equal(origins.get('log.level'), '/conf/0.yaml:3');
  t.equal(origins.get('mqtt.url'), 'default');
});

t.test('the system file is read only when no file is named', async (t) => {
  const readFile = (file: string) =>
    Buffer.from(file === '/sys.yaml' ? 'node: system' : 'log: { level: debug }');
  const options = { env: {}, systemFile: '/sys.yaml', readFile, hostname: 'h' };
  t.equal(loadConfig(options).config.node, 'system');
  const named = loadConfig({ ...options, files: ['/other.yaml'] }).config;
  t.equal(named.node, 'h');
  t.equal(named.log.level, 'debug');
});

t.test('the environment is read by the type of each key', async (t) => {
  const { config } = load([], {
    env: {
      MOBILENETD_MODEL_THREADS: '2',
      MOBILENETD_GOVERNOR_ENABLED: 'no',
      MOBILENETD_GOVERNOR_LIMIT: '75.5',
      MOBILENETD_HOMEASSISTANT_ENABLED: '0',
      MOBILENETD_HOMEASSISTANT_LABELS: 'person, cat',
      MOBILENETD_STATUS_LISTEN: 'null',
      MOBILENETD_MQTT_URL: 'mqtt://broker',
      MOBILENETD_MQTT_USERNAME: 'me',
      MOBILENETD_MQTT_PASSWORD: 'null',
      MOBILENETD_MQTT_TLS_VERIFY: 'false',
      MOBILENETD_STORE_RETENTION_MAX_SIZE: '2GiB',
      MOBILENETD_MODEL_FORM: '',
      MOBILENETD_CAMERAS: '{"a":{"source":"files","path":"pictures"}}',
      MOBILENETD_PRESENCE_GROUPS: '{"pet":["cat","dog"]}',
      MOBILENETD_DEBUG: '1',
      MOBILENETD_MODELS_MIRROR: '/mirror',
      OTHER: 'ignored',
    },
  });
  t.equal(config.model.threads, 2);
  t.equal(config.governor.enabled, false);
  t.equal(config.governor.limit, 75.5);
  t.equal(config.homeassistant.enabled, false);
  t.same(config.homeassistant.labels, ['person', 'cat']);
  t.equal(config.status.listen, null);
  t.equal(config.mqtt.password, 'null', 'a password is text whatever it looks like');
  t.equal(config.mqtt.tls.verify, false);
  t.equal(parseSize(config.store.retention.max_size), 2 * 2 ** 30);
  t.equal(config.model.form, 'auto', 'an empty variable counts as absent');
  t.equal(config.cameras.a?.path, '/cwd/pictures');
  t.same(config.presence.groups, { pet: ['cat', 'dog'] });
});

t.test('cameras from flags and the environment replace those of the files', async (t) => {
  const file = 'cameras: { front: { source: demo, fps: 3 }, back: { source: demo } }';
  const byFlag = load([file], { flags: { cameras: { front: { source: 'libcamera' } } } }).config;
  t.same(Object.keys(byFlag.cameras), ['front']);
  t.match(byFlag.cameras.front, { source: 'libcamera', fps: 10 });
  const byEnv = load([file], { env: { MOBILENETD_CAMERAS: '{"door":{"source":"demo"}}' } }).config;
  t.same(Object.keys(byEnv.cameras), ['door']);
});

t.test('every key has a variable of its own', async (t) => {
  t.equal(new Set(KNOWN_KEYS.map(({ env }) => env)).size, KNOWN_KEYS.length);
  t.ok(KNOWN_KEYS.some(({ env }) => env === 'MOBILENETD_MQTT_PASSWORD_FILE'));
});

t.test('MOBILENETD_STATE is an alias of state_dir', async (t) => {
  t.equal(load([], { env: { MOBILENETD_STATE: 'var' } }).config.state_dir, '/cwd/var');
  const both = { MOBILENETD_STATE: '/a', MOBILENETD_STATE_DIR: '/a' };
  t.equal(load([], { env: both }).config.state_dir, '/a');
  t.throws(() => load([], { env: { ...both, MOBILENETD_STATE: '/b' } }), {
    code: 'MND_CONFIG_INVALID',
    message: /MOBILENETD_STATE_DIR.*MOBILENETD_STATE|MOBILENETD_STATE.*MOBILENETD_STATE_DIR/,
  });
});

t.test('relative paths start from the folder of their file', async (t) => {
  const folder = t.testdir({ conf: { 'a.yaml': 'state_dir: data\nmodels_dir: ~/models\n' } });
  const { config } = loadConfig({
    files: ['conf/a.yaml'],
    env: { HOME: '/home/me', MOBILENETD_GOVERNOR_SYSFS_ROOT: 'fake/sys' },
    cwd: folder,
  });
  t.equal(config.state_dir, join(folder, 'conf', 'data'));
  t.equal(config.models_dir, '/home/me/models');
  t.equal(config.governor.sysfs_root, join(folder, 'fake', 'sys'));
});

t.test('the state folder is found by where the program runs', async (t) => {
  const root = t.testdir({ checkout: { src: {} }, installed: { dist: {} } });
  const state = (env: NodeJS.ProcessEnv, packageRoot: string) =>
    load([], { env: { HOME: '/home/me', ...env }, packageRoot: join(root, packageRoot) }).config
      .state_dir;
  t.equal(state({}, 'checkout'), join(root, 'checkout', 'var'));
  t.equal(state({ STATE_DIRECTORY: '/var/lib/mobilenetd:/x' }, 'checkout'), '/var/lib/mobilenetd');
  t.equal(state({ XDG_STATE_HOME: '/xdg' }, 'installed'), '/xdg/mobilenetd');
  t.equal(state({ XDG_STATE_HOME: 'relative' }, 'installed'), '/home/me/.local/state/mobilenetd');
});

t.test('commands beside a service ask about its state, where its file does not say it', (t) => {
  const folder = t.testdir({ installed: { dist: {} }, state: {}, etc: {} });
  const systemFile = join(folder, 'etc', 'config.yaml');
  const service = join(folder, 'state');
  const load = (files: readonly string[], systemState: string) => {
    const packageRoot = join(folder, 'installed');
    const env = { HOME: '/home/me' };
    const options = { env, packageRoot, systemFile, systemState, files, cwd: folder };
    const readFile = () => Buffer.from('node: porch\n');
    const { config } = loadConfig({ ...options, readFile });
    t.equal(readablePlaces(options).stateDir, config.state_dir, 'also where it cannot be read');
    return config.state_dir;
  };
  t.equal(load([], service), service, 'as root and as the user of the service');
  t.equal(load(['etc/config.yaml'], service), service, 'its file by name');
  t.equal(load(['own.yaml'], service), '/home/me/.local/state/mobilenetd', 'a file of my own');
  t.equal(load([], join(folder, 'none')), '/home/me/.local/state/mobilenetd', 'no service');
  t.end();
});

t.test('the node is the host name made topic-safe', async (t) => {
  const node = (hostname: string) => load([], { hostname }).config.node;
  t.equal(node('raspberrypi.local'), 'raspberrypi');
  t.equal(node('küche+1/#'), 'k_che_1_');
  t.equal(node(''), 'mobilenetd');
  t.equal(node('-'), 'mobilenetd');
});

t.test('JSON, anchors, tabs in JSON, a byte order mark and an empty file are read', async (t) => {
  t.equal(load(['{\n\t"node": "json"\n}\n']).config.node, 'json');
  t.equal(load(['\uFEFFnode: bom']).config.node, 'bom');
  t.equal(load(['']).config.node, 'porch');
  t.equal(load(['# nothing\n']).config.node, 'porch');
  const shared = 'cameras:\n  a: &a { source: demo, fps: 2 }\n  b: *a\n';
  t.equal(load([shared]).config.cameras.b?.fps, 2);
});

t.test('label names may hold dots, spaces and commas', async (t) => {
  const { config, origins } = load([
    'presence:\n  labels:\n    St. Bernard: { enter: 0.9 }\n    "dog, domestic": { off_delay: 9 }\n',
  ]);
  t.same(config.presence.labels, {
    'St. Bernard': { enter: 0.9 },
    'dog, domestic': { off_delay: 9 },
  });
  t.equal(origins.get('presence.labels.St. Bernard.enter'), '/conf/0.yaml:3');
});

t.test(
  'the configuration is frozen to the bottom and shares nothing with the next one',
  async (t) => {
    const file = 'cameras: { a: { source: demo, mask: [[[0, 0], [9, 0], [9, 9]]] } }';
    const { config } = load([file]);
    const walk = (value: unknown, path: string) => {
      if (typeof value !== 'object' || value === null) return;
      t.ok(Object.isFrozen(value), `${path} is frozen`);
      for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
    };
    walk(config, 'config');
    t.throws(() => Object.assign(config.mqtt, { url: 'mqtt://elsewhere' }), TypeError);
    t.not(load([file]).config.cameras, config.cameras);
    t.equal(load([]).config.cameras.a, undefined);
  },
);

t.test('the effective configuration is itself a valid configuration', async (t) => {
  const { config } = load([
    'mqtt: { url: "mqtts://u:p@b" }\ncameras: { a: { source: video, path: /v.mp4, crop: [0, 0, 64, 64] } }',
  ]);
  const again = load([JSON.stringify(config)]).config;
  t.same(again, config);
});

t.test('real files are read, and bounded', async (t) => {
  const folder = t.testdir({ 'ok.yaml': 'node: real\n', 'big.yaml': `# ${'x'.repeat(1_000_001)}` });
  mkdirSync(join(folder, 'folder'));
  writeFileSync(join(folder, 'latin.yaml'), Buffer.from([0x6e, 0x3a, 0x20, 0xe9]));
  const real = (file: string): Config =>
    loadConfig({ files: [join(folder, file)], env: {} }).config;
  t.equal(real('ok.yaml').node, 'real');
  for (const [file, found] of [
    ['big.yaml', /more than 1000000 bytes/],
    ['folder', /a folder/],
    ['missing.yaml', /no such file/],
    ['latin.yaml', /not UTF-8/],
  ] as const) {
    t.throws(() => real(file), { code: 'MND_CONFIG_UNREADABLE', exitCode: 78, message: found });
  }
  t.throws(() => loadConfig({ files: ['/dev/zero'], env: {} }), { code: 'MND_CONFIG_UNREADABLE' });
});

t.test('addresses and sizes are taken apart', async (t) => {
  t.same(parseListen('127.0.0.1:0'), { host: '127.0.0.1', port: 0 });
  t.same(parseListen('[::1]:1883'), { host: '::1', port: 1883 });
  t.throws(() => parseListen('1883'), TypeError);
  t.equal(parseSize('1GB'), 1e9);
  t.equal(parseSize('1.5 MiB'), 1.5 * 2 ** 20);
  t.equal(parseSize(12), 12);
  t.throws(() => parseSize('many'), TypeError);
});

t.test('overlays that are there and cannot be read are not left out without a word', (t) => {
  const folder = t.testdir({
    ...{ file: { 'config.yaml': 'node: a\n', 'conf.d': 'node: b\n' } },
    ...{ none: { 'config.yaml': 'node: a\n' } },
    link: {
      'config.yaml': 'node: a\n',
      'conf.d': { 'a.yaml': t.fixture('symlink', '../../nowhere.yaml') },
    },
  });
  const read = (name: string, options: Partial<LoadConfigOptions> = {}) =>
    loadConfig({ files: [join(folder, name, 'config.yaml')], env: {}, ...options }).config.node;
  t.equal(read('none'), 'a');
  const code = 'MND_CONFIG_UNREADABLE';
  t.throws(() => read('file'), {
    code,
    message: /conf\.d: .*found a file where a folder is needed/,
  });
  t.throws(() => read('link'), { code, message: /a\.yaml: .*found no such file/ });
  const listFolder = () => {
    throw Object.assign(new Error('no'), { code: 'EACCES' });
  };
  t.throws(() => read('none', { listFolder }), { code, message: /conf\.d: .*no permission/ });
  t.end();
});
