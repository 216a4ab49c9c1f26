import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import t, { type Test } from 'tap';
import { checkBroker } from '#mobilenetd/doctor/broker.js';
import { probeBroker } from '#mobilenetd/mqtt/connection/probe.js';
import { openStore } from '#mobilenetd/store/store.js';
import { aedes, mosquitto, type TestBroker } from '../mqtt/brokers.js';
import { configFor, fakeBoard, surroundingsOf } from './fake-board.js';

/** What doctor says of Home Assistant, of a board with this configuration. */
async function rivalsOf(folder: string, broker: TestBroker, more: Record<string, string>) {
  const config = configFor(folder, { MOBILENETD_MQTT_URL: broker.url, ...more });
  const found = await checkBroker({ around: surroundingsOf(folder, { probeBroker }), config });
  return found.filter(({ subject }) => subject === 'Home Assistant').map(({ found }) => found);
}

async function announce(broker: TestBroker, id: string, root: string): Promise<void> {
  const client = await connectAsync(broker.url);
  const payload = JSON.stringify({ availability: [{ topic: `${root}/state` }], components: {} });
  const topic = `homeassistant/device/mobilenetd_${id}/config`;
  await client.publishAsync(topic, payload, { qos: 1, retain: true });
  await client.endAsync();
}

async function check(t: Test, broker: TestBroker): Promise<void> {
  const { folder } = fakeBoard(t);
  for (const [id, rival, node, base] of [
    ['porch', 'mobilenetd/Porch', 'porch', 'mobilenetd'],
    ['back_yard', 'mobilenetd/back-yard', 'back_yard', 'mobilenetd'],
    ['shed', 'one/shed', 'shed', 'two'],
  ] as const) {
    await announce(broker, id, rival);
    const env = { MOBILENETD_NODE: node, MOBILENETD_MQTT_BASE: base };
    const given = { ...env, MOBILENETD_HOMEASSISTANT_DEVICE_ID: id };
    t.match(await rivalsOf(folder, broker, given), [
      `${rival} has the same device id in Home Assistant as this board (${base}/${node})`,
    ]);
    t.same(await rivalsOf(folder, broker, env), [], 'an id of the machine is nobody else’s');
    await announce(broker, id, `${base}/${node}`);
    t.same(await rivalsOf(folder, broker, given), [], 'its own message');
  }
  // An id that an earlier run has chosen, and a former name of this board.
  const store = openStore({
    file: join(folder, 'state', 'mobilenetd.db'),
    commitInterval: 1,
    detectionInterval: 1,
    retention: { days: 1, maxBytes: 1e9 },
    outbox: { maxAge: 1e9, maxRows: 10 },
  });
  store.settings.set('mqtt/device', 'mobilenetd_remembered');
  await announce(broker, 'remembered', 'mobilenetd/other');
  const env = { MOBILENETD_NODE: 'porch' };
  t.match(await rivalsOf(folder, broker, env), [/^mobilenetd\/other has the same device id/]);
  const discovery = 'homeassistant/device/mobilenetd_remembered/config';
  store.settings.set('mqtt/whereabouts', JSON.stringify({ root: 'mobilenetd/other', discovery }));
  t.same(await rivalsOf(folder, broker, env), [], 'it was called so before');
  store.close();
}

for (const [kind, protocol] of [
  [mosquitto, 4],
  [mosquitto, 5],
  [aedes, 4],
] as const) {
  const skip = kind.available ? false : `${kind.name} is not installed`;
  t.test(`two boards in Home Assistant: ${kind.name}, MQTT ${protocol}`, { skip }, async (t) => {
    const broker = await kind.make({ protocol });
    await broker.start();
    t.teardown(() => broker.stop());
    await check(t, broker);
  });
}
