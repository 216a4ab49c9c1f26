import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sharp from 'sharp';
import t from 'tap';
import { parse } from 'yaml';
import { PACKAGE_ROOT } from '#mobilenetd/package-root.js';

const ADDON = join(PACKAGE_ROOT, 'packaging/homeassistant-addon');
const readAddon = (name: string): string => readFileSync(join(ADDON, name), 'utf8');
const CONFIG = parse(readAddon('config.yaml')) as Readonly<Record<string, unknown>>;

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === 'string' && value !== '';
const isFlag: Check = (value) => typeof value === 'boolean';
const like =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(String(value));
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check) && new Set(value).size === value.length;
const within =
  (least: number, most: number): Check =>
  (value) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most;

/** Fields of an option: https://developers.home-assistant.io/docs/apps/configuration, "Options / Schema". */
const FIELD =
  /^(str|bool|email|url|port|(str|int|float)\((-?[\d.]+)?,(-?[\d.]+)?\)|int|float|password|match\(.+\)|list\(.+\)|device(\(subsystem=[a-z0-9_-]+\))?)\??$/;
const isField: Check = (value) => typeof value === 'string' && FIELD.test(value);
/** Nested two deep at most. */
const isElement: Check = (value) =>
  isField(value) ||
  (Array.isArray(value) &&
    value.length === 1 &&
    value.every((each) => isField(each) || isFields(each))) ||
  isFields(value);
const isFields: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every(
    (each) => isField(each) || (Array.isArray(each) && each.every(isField)),
  );

/** The published keys that are used here, each with what it may be; whoever uses another one adds it. */
const KEYS: Readonly<Record<string, Check>> = {
  name: isText,
  version: like(/^\d+\.\d+\.\d+/),
  slug: like(/^[-_.A-Za-z0-9]+$/),
  description: isText,
  url: like(/^https:\/\//),
  image: like(/^([a-zA-Z\-.:\d{}]+\/)*?([-\w{}]+)\/([-\w{}]+)$/),
  arch: listOf(oneOf('aarch64', 'amd64', 'armhf', 'armv7', 'i386')),
  startup: oneOf('initialize', 'system', 'services', 'application', 'once'),
  boot: oneOf('auto', 'manual', 'manual_only'),
  init: isFlag,
  backup: oneOf('hot', 'cold'),
  backup_exclude: listOf(isText),
  watchdog: like(/^(https?|\[PROTO:\w+\]|tcp):\/\/\[HOST\]:(\[PORT:\d+\]|\d+).*$/),
  ingress: isFlag,
  ingress_port: within(0, 65_535),
  ingress_stream: isFlag,
  panel_icon: like(/^mdi:[a-z0-9-]+$/),
  panel_title: isText,
  services: listOf(like(/^(mqtt|mysql):(provide|want|need)$/)),
  video: isFlag,
  udev: isFlag,
  tmpfs: isFlag,
  apparmor: isFlag,
  map: listOf((value) => {
    const { type, read_only: readOnly, ...rest } = value as Record<string, unknown>;
    const types = [
      'addon_config',
      'all_addon_configs',
      'homeassistant_config',
      'share',
      'media',
      'ssl',
    ];
    return types.includes(String(type)) && isFlag(readOnly) && Object.keys(rest).length === 0;
  }),
  timeout: within(10, 300),
  options: (value) => typeof value === 'object' && value !== null,
  schema: (value) =>
    typeof value === 'object' && value !== null && Object.values(value).every(isElement),
};
const REQUIRED = ['name', 'version', 'slug', 'description', 'arch'];

t.test('config.yaml is as Home Assistant has it published', async (t) => {
  for (const [key, value] of Object.entries(CONFIG)) {
    const check = KEYS[key];
    t.ok(check, `${key} is a key`);
    t.ok(check?.(value), `${key}: ${JSON.stringify(value)}`);
  }
  t.strictSame(
    REQUIRED.filter((key) => !(key in CONFIG)),
    [],
  );
  t.equal(
    CONFIG.version,
    JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')).version,
  );
});

t.test('fields that are none are found', async (t) => {
  for (const wrong of ['string', 'int(1)', 'list', 'device(video4linux)', 'match()', '']) {
    t.notOk(isField(wrong), wrong);
  }
  for (const right of [
    'str?',
    'int(1,)',
    'float(0.01,120)?',
    'list(a|b)',
    'device(subsystem=tty)',
  ]) {
    t.ok(isField(right), right);
  }
});

t.test('every option has a name and a description in every language', async (t) => {
  const options = Object.keys(CONFIG.schema as object);
  for (const language of ['en', 'de']) {
    const { configuration } = parse(readAddon(`translations/${language}.yaml`));
    t.strictSame(Object.keys(configuration), options, language);
    for (const text of Object.values(configuration)) {
      t.ok(
        isText((text as { name: unknown }).name) &&
          isText((text as { description: unknown }).description),
      );
    }
  }
  const told = readAddon('DOCS.md');
  for (const option of options) t.match(told, `\`${option}\``, `DOCS.md tells of ${option}`);
  for (const option of Object.keys(CONFIG.options as object)) t.ok(options.includes(option));
});

t.test('icon and logo have the sizes that are asked for', async (t) => {
  for (const [name, width, height] of [
    ['icon.png', 128, 128],
    ['logo.png', 250, 100],
  ] as const) {
    t.match(await sharp(join(ADDON, name)).metadata(), { format: 'png', width, height });
  }
});

t.test('the AppArmor profile is one', async (t) => {
  const profile = readAddon('apparmor.txt');
  t.match(profile, /^profile mobilenetd flags=\(attach_disconnected,mediate_deleted\) \{$/m);
  if (spawnSync('apparmor_parser', ['--version']).error) {
    t.pass('SKIPPED: apparmor_parser is not installed');
    return;
  }
  const file = join(ADDON, 'apparmor.txt');
  const done = spawnSync('apparmor_parser', ['--skip-kernel-load', '--skip-cache', file], {
    encoding: 'utf8',
  });
  t.equal(done.status, 0, done.stderr);
});

interface Written {
  readonly config: Readonly<Record<string, unknown>>;
  readonly passwords: Readonly<Record<string, string>>;
}

const { settingsOf } = (await import(pathToFileURL(join(ADDON, 'settings.mjs')).href)) as {
  readonly settingsOf: (options: unknown, broker: unknown, folder: string) => Written;
};

const SERVICE = {
  host: 'core-mosquitto',
  port: 1883,
  ssl: false,
  username: 'addons',
  password: 'pa55',
};

t.test('options become the configuration of the daemon', async (t) => {
  const options = {
    cameras: [
      {
        name: 'porch',
        source: 'rtsp',
        url: 'rtsp://192.0.2.20/1',
        username: 'u',
        password: 'p',
        labels: ['dog'],
      },
      { name: 'desk', source: 'v4l2', device: '/dev/video0', fps: 2, url: '', labels: [] },
    ],
    heat_limit: 70,
    log_level: 'debug',
  };
  const { config, passwords } = settingsOf(options, SERVICE, '/run/mobilenetd');
  t.match(config, {
    log: { level: 'debug' },
    governor: { limit: 70 },
    mqtt: {
      url: 'mqtt://core-mosquitto:1883',
      username: 'addons',
      password_file: '/run/mobilenetd/mqtt-password',
    },
    cameras: {
      porch: {
        source: 'rtsp',
        url: 'rtsp://192.0.2.20/1',
        username: 'u',
        password: 'p',
        labels: ['dog'],
      },
      desk: { source: 'v4l2', device: '/dev/video0', fps: 2 },
    },
  });
  t.strictSame(passwords, { 'mqtt-password': 'pa55' });
  t.notMatch(JSON.stringify(config.mqtt), 'pa55');
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-addon-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const own = settingsOf(options, SERVICE, folder);
  writeFileSync(join(folder, 'mqtt-password'), 'pa55\n', { mode: 0o600 });
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(own.config));
  const main = join(PACKAGE_ROOT, 'dist/cli/main.js');
  const said = execFileSync(
    process.execPath,
    [main, 'config', '--check', '--config', join(folder, 'config.yaml')],
    {
      encoding: 'utf8',
      env: { ...process.env, MOBILENETD_STATE: folder },
    },
  );
  t.match(said, /^ok/m);
});

t.test('what is not said is left to be found', async (t) => {
  const nothing = settingsOf({ cameras: [], log_level: 'info' }, null, '/run/mobilenetd');
  t.notOk('cameras' in nothing.config);
  t.notOk('mqtt' in nothing.config);
  const own = { mqtt_url: 'mqtt://192.0.2.1', mqtt_username: '', mqtt_password: '' };
  t.strictSame(settingsOf(own, SERVICE, '/run').config.mqtt, { url: 'mqtt://192.0.2.1' });
  const encrypted = settingsOf({}, { ...SERVICE, ssl: true, port: 8883 }, '/run');
  t.match(encrypted.config.mqtt, { url: 'mqtts://core-mosquitto:8883' });
});

t.test('the broker of Home Assistant is asked of the Supervisor', async (t) => {
  const asked: (string | undefined)[] = [];
  let answer: { readonly status: number; readonly body: unknown } = {
    status: 200,
    body: { result: 'ok', data: SERVICE },
  };
  const supervisor = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    response.writeHead(answer.status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => supervisor.once('listening', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-addon-'));
  t.teardown(() => {
    supervisor.close();
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, 'options.json'), '{"cameras":[],"log_level":"info"}');
  const { port } = supervisor.address() as AddressInfo;
  const prepare = async (): Promise<string> => {
    const { spawn } = await import('node:child_process');
    const words = [
      fileURLToPath(pathToFileURL(join(ADDON, 'prepare.mjs'))),
      join(folder, 'options.json'),
      folder,
      folder,
    ];
    const env = {
      ...process.env,
      SUPERVISOR_URL: `http://127.0.0.1:${port}`,
      SUPERVISOR_TOKEN: 'token',
    };
    const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
    });
    await new Promise((resolve) => child.once('close', resolve));
    return said;
  };
  const written = () => JSON.parse(readFileSync(join(folder, 'config.yaml'), 'utf8'));
  t.equal(await prepare(), '');
  t.strictSame(asked, ['/services/mqtt Bearer token']);
  t.match(written().mqtt, { url: 'mqtt://core-mosquitto:1883', username: 'addons' });
  t.equal(readFileSync(join(folder, 'mqtt-password'), 'utf8'), 'pa55\n');
  answer = { status: 400, body: { result: 'error', message: 'Service not enabled' } };
  t.match(await prepare(), 'Home Assistant offers no MQTT broker (Service not enabled)');
  t.notOk('mqtt' in written());
});
