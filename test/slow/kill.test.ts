import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import t from 'tap';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/broker/embedded.js';
import { openStore } from '#mobilenetd/store/store.js';
import { eventually } from '../eventually.js';
import { installRandomModel, runDemo } from '../integration/demo-process.js';
import { lastingFolder } from '../lasting-folder.js';
import { type Listener, listenTo } from '../mqtt/brokers.js';

t.setTimeout(600_000);

const KILLS = 6;
/** The first ones die whether anything was told or not. */
const EARLY_KILLS = 2;
const ROOT = 'mobilenetd/board-demo';
const STATE = `${ROOT}/state`;

/** Labels that are ON, as somebody knows them who has listened all the time. */
function labelsOn({ last }: Listener): string[] {
  // Whether a camera is looked at is a switch, not a label.
  const isLabel = (topic: string) => !topic.endsWith('/detect/state');
  return [...last].flatMap(([topic, value]) => (value === 'ON' && isLabel(topic) ? [topic] : []));
}

/** The same, as a new subscriber is told. */
async function labelsOnAnew(url: string): Promise<string[]> {
  const house = await listenTo(url, `${ROOT}/#`);
  await house.until('what is retained', () => house.last.has(STATE));
  await delay(200);
  await house.close();
  return labelsOn(house);
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

  const house = await listenTo(broker.url, `${ROOT}/#`);
  t.teardown(() => house.close());
  for (let kill = 0; kill < KILLS; kill += 1) {
    const begun = () => published.filter(({ type }) => type === 'new').length;
    const before = begun();
    const demo = runDemo({ folder, model, env });
    await demo.ready;
    if (kill >= EARLY_KILLS) t.ok(await eventually(() => begun() > before), demo.errors());
    await delay(40 * kill ** 2);
    if (kill === KILLS - 1) await house.until('a label is ON', () => labelsOn(house).length > 0);
    t.equal(await demo.end('SIGKILL'), null, 'it was killed');
  }
  await house.until('the will tells of the death', () => house.last.get(STATE) === 'offline');
  t.not(labelsOn(house).length, 0, 'the killed one left a label ON');

  // Nothing reaches this threshold: what is ON now can only be left over.
  const last = runDemo({
    folder,
    model,
    env: { ...env, MOBILENETD_PRESENCE_ENTER: '1', MOBILENETD_PRESENCE_STAY: '0.99' },
  });
  await last.ready;
  // Said when everything else is true.
  await house.until('online', () => house.last.get(STATE) === 'online');
  t.same(labelsOn(house), [], 'no label stays ON');
  t.same(await labelsOnAnew(broker.url), [], 'nor is that retained');
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
  const house = await listenTo(broker.url, `${ROOT}/#`);
  t.teardown(() => house.close());
  await house.until('a label is ON', () => labelsOn(house).length > 0);
  await first.end('SIGKILL');
  await house.until('the will', () => house.last.get(STATE) === 'offline');
  for (const suffix of ['', '-wal', '-shm']) {
    rmSync(join(folder, `mobilenetd.db${suffix}`), { force: true });
  }
  t.not(labelsOn(house).length, 0);
  const second = runDemo({
    folder,
    model,
    env: { ...env, MOBILENETD_PRESENCE_ENTER: '1', MOBILENETD_PRESENCE_STAY: '0.99' },
  });
  await second.ready;
  await house.until('online', () => house.last.get(STATE) === 'online');
  t.same(labelsOn(house), []);
  t.same(await labelsOnAnew(broker.url), []);
  t.equal(await second.end('SIGINT'), 0, second.errors());
});
