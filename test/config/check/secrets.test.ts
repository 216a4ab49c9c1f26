import { join } from 'node:path';
import t from 'tap';
import { annotatedYaml } from '#mobilenetd/config/annotate.js';
import { redactConfig, secretsOf } from '#mobilenetd/config/check/secrets.js';
import type { LoadConfigOptions } from '#mobilenetd/config/load.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { messageOf } from '#mobilenetd/errors.js';
import { createMasker, MASK, maskAddresses } from '#mobilenetd/mask.js';

const ODD_PASSWORDS = [
  'plain-hunter2',
  `quotes " and ' inside`,
  'spaces  and\ttab',
  'schlüssel-пароль-秘密-🔑',
  'at@sign/slash?query#hash:colon',
  '100%25 percent %zz',
  'back\\slash\\n',
  '$& $1 regex (.*)',
  'true',
  '********x',
];

function load(yaml: string, options: Partial<LoadConfigOptions> = {}) {
  return loadConfig({
    files: ['/c.yaml'],
    env: {},
    readFile: (file) => {
      if (file === '/c.yaml') return Buffer.from(yaml);
      throw Object.assign(new Error('no'), { code: 'ENOENT' });
    },
    ...options,
  });
}

/** Every form in which a text might be found in an output. */
function formsOf(secret: string): readonly string[] {
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
}

for (const password of ODD_PASSWORDS) {
  t.test(`nothing that is shown holds ${JSON.stringify(password)}`, async (t) => {
    const encoded = encodeURIComponent(password);
    const yaml = JSON.stringify({
      mqtt: { url: 'mqtt://broker', username: 'me', password },
      cameras: { a: { source: 'rtsp', url: `rtsp://admin:${encoded}@cam/1` } },
    });
    const { config, origins } = load(yaml);
    t.equal(config.mqtt.password, password);
    const shown = redactConfig(config);
    t.equal(shown.mqtt.password, MASK);
    t.equal(shown.cameras.a?.url, `rtsp://${MASK}@cam/1`);
    const outputs = [JSON.stringify(shown), annotatedYaml(shown, origins)];
    for (const broken of ['"mqtt":{', '"username":"me"', '"source":"rtsp"', '}']) {
      // The same file with one thing wrong: a key, a type, a scheme, the syntax.
      const text = yaml.replace(broken, broken === '}' ? ' ' : broken.replace(/[a-z]+/, 'wrong'));
      try {
        load(text);
      } catch (error) {
        outputs.push(messageOf(error));
      }
    }
    t.ok(outputs.length > 4);
    for (const output of outputs) {
      for (const form of formsOf(password)) {
        if (form !== 'true') t.notOk(output.includes(form), `hidden in ${output.slice(0, 60)}`);
      }
    }
    const mask = createMasker(secretsOf(config));
    for (const form of formsOf(password)) {
      t.notOk(mask(`connect failed: ${form} refused`).includes(form));
    }
  });
}

t.test('the values in the query of an address may be tokens', async (t) => {
  const { config } = load(
    'mqtt: { url: "wss://b/mqtt?key=abcdefgh1" }\ncameras: { a: { source: rtsp, url: "rtsp://c/s?channel=1&auth=t0ken-t0ken" } }',
  );
  const shown = redactConfig(config);
  t.equal(shown.cameras.a?.url, `rtsp://c/s?channel=${MASK}&auth=${MASK}`);
  t.equal(shown.mqtt.url, `wss://b/mqtt?key=${MASK}`);
  const secrets = secretsOf(config);
  t.ok(secrets.includes('t0ken-t0ken') && secrets.includes('abcdefgh1'));
  t.notOk(secrets.includes('1'), 'a short one would mask harmless text');
});

t.test('user name and password are taken out of the address of the broker', async (t) => {
  const { config, origins } = load('mqtt: { url: "mqtt://me:p%40ss%2F%25@broker:1884" }');
  t.match(config.mqtt, { url: 'mqtt://broker:1884', username: 'me', password: 'p@ss/%' });
  t.equal(origins.get('mqtt.password'), '/c.yaml:1');
  const odd = load('mqtt: { url: "mqtt://me:100%@broker" }').config.mqtt;
  t.match(odd, { url: 'mqtt://broker', password: '100%' });
  const key = load('mqtt: { url: "mqtt://me@broker", password: x }').config.mqtt;
  t.match(key, { url: 'mqtt://broker', username: 'me', password: 'x' });
});

t.test('the password comes from a file', async (t) => {
  const folder = t.testdir({ 'pw.txt': 'line one\r\n', empty: '\n', long: 'a\nb\n' });
  const file = (name: string) => join(folder, name);
  const config = (name: string) =>
    loadConfig({
      files: [],
      env: { MOBILENETD_MQTT_USERNAME: 'me', MOBILENETD_MQTT_PASSWORD_FILE: file(name) },
      systemFile: '/nowhere/c.yaml',
    });
  const { config: loaded, origins } = config('pw.txt');
  t.equal(loaded.mqtt.password, 'line one');
  t.equal(origins.get('mqtt.password'), file('pw.txt'));
  t.throws(() => config('empty'), { message: /mqtt\.password_file.*an empty file/ });
  t.throws(() => config('long'), { message: /expected one line/ });
  t.throws(() => config('missing'), { message: /cannot be read \(ENOENT\)/ });
});

t.test('the password comes from a systemd credential', async (t) => {
  const folder = t.testdir({ mqtt_password: 'from systemd' });
  const load = (env: NodeJS.ProcessEnv) =>
    loadConfig({ env: { CREDENTIALS_DIRECTORY: folder, ...env }, systemFile: '/nowhere/c.yaml' });
  const { config, origins } = load({ MOBILENETD_MQTT_USERNAME: 'me' });
  t.equal(config.mqtt.password, 'from systemd');
  t.equal(origins.get('mqtt.password'), 'credential mqtt_password');
  t.equal(load({}).config.mqtt.password, null, 'an anonymous client has no use for it');
  const own = load({ MOBILENETD_MQTT_USERNAME: 'me', MOBILENETD_MQTT_PASSWORD: 'own' });
  t.equal(own.config.mqtt.password, 'own');
  const elsewhere = { CREDENTIALS_DIRECTORY: join(folder, 'none'), MOBILENETD_MQTT_USERNAME: 'me' };
  t.equal(load(elsewhere).config.mqtt.password, null);
  const empty = t.testdir({ mqtt_username: '\n', mqtt_password: '\n' });
  const stored = loadConfig({
    env: { CREDENTIALS_DIRECTORY: empty },
    systemFile: '/nowhere/c.yaml',
  });
  t.equal(stored.config.mqtt.username, null, 'the empty line of the unit is no credential');
  t.equal(stored.config.mqtt.password, null);
});

t.test('user information of addresses is masked anywhere in a text', async (t) => {
  for (const [text, masked] of [
    ['open rtsp://admin:pw@cam/1 failed', `open rtsp://${MASK}@cam/1 failed`],
    ['mqtt://u:p@ss@host and wss://t@h', `mqtt://${MASK}@host and wss://${MASK}@h`],
    ['{"url":"mqtt://u:p/w@host"}', `{"url":"mqtt://${MASK}@host"}`],
    ['http://host/path mail me@home', 'http://host/path mail me@home'],
  ] as const) {
    t.equal(maskAddresses(text), masked);
  }
});
