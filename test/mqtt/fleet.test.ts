import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import t from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { deviceId, discoveryTopic } from '#mobilenetd/mqtt/home-assistant/discovery.js';
import { createTopics } from '#mobilenetd/mqtt/topics.js';
import { scratchFolder } from '../scratch-folder.js';
import { eventually, mosquitto, mosquittoPassword, runMosquitto } from './brokers.js';
import { makeCertificates } from './certificates.js';

const skip = mosquitto.available ? false : 'Mosquitto is not installed';
const EXAMPLES = 'examples/fleet';
const USERS = ['porch', 'garden', 'sink', 'homeassistant', 'operator'];

/** Mosquitto with the example's own files; only places and the port are others. */
async function startExample() {
  const folder = scratchFolder('mobilenetd-fleet');
  const { folder: certificates, read } = makeCertificates();
  const place = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    chmodSync(file, 0o600);
    return file;
  };
  const passwords = USERS.map((name) => mosquittoPassword({ name, password: `${name} secret` }));
  const replacements = {
    '/etc/mosquitto/certs': certificates,
    '/etc/mosquitto/passwords': place('passwords', passwords.join('')),
    '/etc/mosquitto/acl': place('acl', readFileSync(`${EXAMPLES}/acl`, 'utf8')),
    '/var/lib/mosquitto/': `${folder}/`,
  };
  let conf = readFileSync(`${EXAMPLES}/mosquitto.conf`, 'utf8');
  for (const [from, to] of Object.entries(replacements)) {
    if (!conf.includes(from)) throw new Error(`the example does not name ${from}`);
    conf = conf.replaceAll(from, to);
  }
  const broker = await runMosquitto(conf, folder);
  const url = `mqtts://127.0.0.1:${broker.port}`;
  const ca = read('ca.crt');
  const login = (username: string) => ({ username, password: `${username} secret` });
  return {
    stop: broker.stop,
    url,
    ca,
    login,
    connect: (name: string, more = {}): Promise<MqttClient> =>
      connectAsync(url, { ca, protocolVersion: 5, reconnectPeriod: 0, ...login(name), ...more }),
  };
}

/** Whether the broker takes a message of this client; MQTT 5 says so in the PUBACK. */
async function mayPublish(client: MqttClient, topic: string): Promise<boolean> {
  const { reasonCode } = await client.publishAsync(topic, 'x', { qos: 1 }).then(
    (packet) => packet as { reasonCode?: number },
    (error: { code?: number }) => ({ reasonCode: error.code ?? 255 }),
  );
  return (reasonCode ?? 0) < 128;
}

t.test('the configuration of a board can be used, and names its device', (t) => {
  const folder = scratchFolder('mobilenetd-fleet');
  const secret = join(folder, 'mqtt-password');
  writeFileSync(secret, 'porch secret\n', { mode: 0o600 });
  const file = join(folder, 'board.yaml');
  const text = readFileSync(`${EXAMPLES}/board.yaml`, 'utf8')
    .replace('/etc/mobilenetd/mqtt-password', secret)
    .replace('/etc/mobilenetd/ca.pem', secret);
  writeFileSync(file, text);
  const env = { MOBILENETD_STATE: folder };
  const { config } = loadConfig({ env, systemFile: file, boardModel: null });
  t.match(config, {
    node: 'porch',
    homeassistant: { device_id: 'porch' },
    mqtt: { username: 'porch', password: 'porch secret' },
  });
  t.equal(config.mqtt.url?.length, 3);
  const rule = /homeassistant\/device\/(\S+)\/config/.exec(readFileSync(`${EXAMPLES}/acl`, 'utf8'));
  t.equal(rule?.[1]?.replace('%u', 'porch'), deviceId(config.homeassistant.device_id ?? ''));
  t.end();
});

t.test('the access rules give each board its own topics and nothing else', { skip }, async (t) => {
  const example = await startExample();
  t.teardown(() => example.stop());
  const topics = createTopics({ base: 'mobilenetd', node: 'porch' });
  const connection = createConnection({
    url: example.url,
    clientId: 'mobilenetd-porch',
    tls: { ca: example.ca },
    ...example.login('porch'),
    will: { topic: topics.state, payload: 'offline' },
  });
  connection.start();
  await eventually('connected', () => connection.connected());
  const options = { qos: 1, retain: true } as const;
  await connection.publish(topics.state, 'online', options);
  await connection.publish(topics.camera('front').events, '{}', { qos: 1, retain: false });
  await connection.publish(discoveryTopic('homeassistant', deviceId('porch')), '{}', options);
  for (const topic of [
    'mobilenetd/garden/state',
    'mobilenetd/garden/front/detect/set',
    'mobilenetd/state',
    discoveryTopic('homeassistant', deviceId('garden')),
    'homeassistant/status',
    'elsewhere',
  ]) {
    await t.rejects(connection.publish(topic, 'x', options), { code: 'MND_MQTT_HELD' }, topic);
  }
  const heard: string[] = [];
  const filters = [...topics.commandFilters, 'homeassistant/status', 'mobilenetd/#'];
  await connection.subscribe(filters, ({ topic }) => heard.push(topic));

  const [garden, sink, home] = [
    await example.connect('garden'),
    await example.connect('sink'),
    await example.connect('homeassistant'),
  ];
  t.notOk(await mayPublish(garden, topics.camera('front').detectSet), 'no other board');
  t.notOk(await mayPublish(sink, topics.camera('front').detectSet), 'nor the sink');
  t.notOk(await mayPublish(sink, topics.camera('front').events));
  t.ok(await mayPublish(home, topics.camera('front').detectSet));
  t.ok(await mayPublish(home, topics.pinSet));
  t.ok(await mayPublish(home, topics.request('snapshot')));
  t.ok(await mayPublish(home, 'homeassistant/status'));
  t.notOk(await mayPublish(home, topics.state), 'which does not speak for a board');
  await garden.publishAsync('mobilenetd/garden/front/events', '{}', { qos: 1 });
  await eventually('the commands', () => heard.length >= 4);
  t.same(
    heard.filter((topic) => topic.includes('garden')),
    [],
    'a board hears nothing of another one',
  );
  await t.rejects(example.connect('porch', { password: 'wrong' }), { code: 135 });
  await t.rejects(connectAsync(example.url, { ca: example.ca, reconnectPeriod: 0 }));
  await Promise.all([garden, sink, home].map((client) => client.endAsync()));
  await connection.close();
});

t.test(
  'a shared subscription gives each event to one consumer, also later',
  { skip },
  async (t) => {
    const example = await startExample();
    t.teardown(() => example.stop());
    const heard: string[][] = [[], []];
    const consumer = async (index: number) => {
      const session = { clean: false, properties: { sessionExpiryInterval: 3600 } };
      const client = await example.connect('sink', { clientId: `sink-${index}`, ...session });
      client.on('message', (_topic, payload) => heard[index]?.push(payload.toString()));
      await client.subscribeAsync('$share/sink/mobilenetd/+/+/events', { qos: 1 });
      return client;
    };
    const [first, second] = [await consumer(0), await consumer(1)];
    const board = await example.connect('porch');
    const publish = async (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        await board.publishAsync('mobilenetd/porch/front/events', String(i), { qos: 1 });
      }
    };
    const total = () => (heard[0]?.length ?? 0) + (heard[1]?.length ?? 0);
    await publish(0, 100);
    await eventually('all', () => total() >= 100);
    t.ok(
      heard.every((some) => some.length > 20),
      `shared ${heard.map((some) => some.length)}`,
    );
    await second.endAsync();
    await publish(100, 150);
    await first.endAsync();
    await publish(150, 170);
    // The queues of sessions outlive the connections.
    const back = [await consumer(0), await consumer(1)];
    await eventually('the rest', () => new Set(heard.flat()).size >= 170);
    t.equal(total(), 170, 'none twice');
    await Promise.all([board, ...back].map((client) => client.endAsync()));
  },
);

t.test('the sink names fields of the schemas, and columns of the tables', async (t) => {
  const telegraf = readFileSync(`${EXAMPLES}/telegraf.conf`, 'utf8');
  const sql = readFileSync(`${EXAMPLES}/timescale.sql`, 'utf8');
  for (const name of ['event', 'health']) {
    const schema = JSON.parse(readFileSync(`docs/schema/${name}.json`, 'utf8'));
    const section = telegraf
      .split('[[inputs.mqtt_consumer]]')
      .find((text) => text.includes(`measurement_name = "${name}"`));
    const paths = [...(section ?? '').matchAll(/^\s+path = "(\w+)"/gm)].map(([, path]) => path);
    t.ok(paths.length > 5);
    const table = new RegExp(`CREATE TABLE ${name} \\(([\\s\\S]*?)\\n\\);`).exec(sql)?.[1] ?? '';
    const columns = [...table.matchAll(/^ {2}"?(\w+)"?\s/gm)].map(([, column]) => column);
    for (const path of paths) {
      t.ok(Object.hasOwn(schema.properties, path ?? ''), `${name}.${path} is in the schema`);
      t.ok(columns.includes(path), `${name}.${path} has a column`);
    }
    for (const column of columns.filter((other) => !['time', 'node'].includes(other ?? ''))) {
      t.ok(paths.includes(column), `${name}.${column} is filled`);
    }
  }
});

t.test('the simulator runs, and every event is heard', { skip }, async (t) => {
  const args = ['scripts/fleet-simulator.mjs', '--nodes', '20', '--seconds', '1', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  t.equal(status, 0, stderr);
  const result = JSON.parse(stdout);
  t.match(result, { nodes: 20, lost: 0, heard: result.sent });
  t.ok(result.sent >= 20 && result.broker.rssMb > 1 && result.latencyMs.median >= 0);
});
