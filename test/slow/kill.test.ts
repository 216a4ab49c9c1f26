import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import t from 'tap';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/broker/embedded.js';
import { openStore } from '#mobilenetd/store/store.js';
import { installRandomModel, runDemo } from '../integration/demo-process.js';
import { lastingFolder } from '../lasting-folder.js';

const KILLS = 6;

/** Everything a new subscriber is told under a root. */
async function retainedUnder(url: string, filter: string): Promise<Map<string, string>> {
  const client = await mqtt.connectAsync(url);
  const found = new Map<string, string>();
  client.on('message', (topic, payload, packet) => {
    // Whether a camera is looked at is a switch, not a label.
    const control = topic.endsWith('/detect/state');
    if (packet.retain && !control) found.set(topic, payload.toString());
  });
  await client.subscribeAsync(filter, { qos: 1 });
  await delay(200);
  await client.endAsync();
  return found;
}

t.test('a daemon that is killed at any moment loses no event and leaves no label ON', async (t) => {
  const folder = lastingFolder(t);
  const model = await installRandomModel(folder);
  const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  t.teardown(() => broker.close());
  const published: { id: string; type: string }[] = [];
  const listener = await mqtt.connectAsync(broker.url);
  t.teardown(() => listener.endAsync());
  listener.on('message', (_topic, payload) => published.push(JSON.parse(payload.toString())));
  await listener.subscribeAsync('mobilenetd/board-demo/+/events', { qos: 1 });
  const env = { MOBILENETD_MQTT_URL: broker.url };

  for (let kill = 0; kill < KILLS; kill += 1) {
    const demo = runDemo({ folder, model, env });
    await demo.ready;
    await delay(40 * kill ** 2);
    t.equal(await demo.end('SIGKILL'), null, 'it was killed');
  }
  const after = await retainedUnder(broker.url, 'mobilenetd/board-demo/#');
  t.equal(after.get('mobilenetd/board-demo/state'), 'offline', 'the will tells of the death');
  t.ok([...after.values()].includes('ON'), 'the killed one left a label ON');

  // Nothing reaches this threshold: what is ON now can only be left over.
  const last = runDemo({
    folder,
    model,
    env: { ...env, MOBILENETD_PRESENCE_ENTER: '1', MOBILENETD_PRESENCE_STAY: '0.99' },
  });
  await last.ready;
  await delay(1500);
  const running = await retainedUnder(broker.url, 'mobilenetd/board-demo/#');
  t.equal(running.get('mobilenetd/board-demo/state'), 'online');
  t.notOk([...running.values()].includes('ON'), 'no label stays ON');
  t.equal(await last.end('SIGTERM'), 0, last.errors());

  const store = openStore({
    file: join(folder, 'mobilenetd.db'),
    commitInterval: 2,
    detectionInterval: 1,
    retention: { days: 30, maxBytes: 1e9 },
    outbox: { maxAge: 3600, maxRows: 1000 },
  });
  const stored = new Map([...store.events({ limit: 10_000 })].map((event) => [event.id, event]));
  t.same(store.openEvents(), [], 'every event has ended');
  store.close();
  t.ok(published.length >= KILLS, `${published.length} events were published`);
  for (const { id } of published) t.ok(stored.has(id), `event ${id} is in the database`);
  const ended = new Set(published.filter(({ type }) => type === 'end').map(({ id }) => id));
  for (const { id, type } of published) {
    if (type === 'new') t.ok(ended.has(id), `the end of ${id} was published`);
  }
});

t.test('a lost database leaves no label ON either', async (t) => {
  const folder = lastingFolder(t);
  const model = await installRandomModel(folder);
  const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  t.teardown(() => broker.close());
  const env = { MOBILENETD_MQTT_URL: broker.url };
  const first = runDemo({ folder, model, env });
  await first.ready;
  const retained = () => retainedUnder(broker.url, 'mobilenetd/board-demo/#');
  while (![...(await retained()).values()].includes('ON')) await delay(100);
  await first.end('SIGKILL');
  for (const suffix of ['', '-wal', '-shm']) {
    rmSync(join(folder, `mobilenetd.db${suffix}`), { force: true });
  }
  t.ok([...(await retained()).values()].includes('ON'));
  const second = runDemo({
    folder,
    model,
    env: { ...env, MOBILENETD_PRESENCE_ENTER: '1', MOBILENETD_PRESENCE_STAY: '0.99' },
  });
  await second.ready;
  await delay(1500);
  const after = await retained();
  t.notOk([...after.values()].includes('ON'));
  t.equal(await second.end('SIGINT'), 0, second.errors());
});
