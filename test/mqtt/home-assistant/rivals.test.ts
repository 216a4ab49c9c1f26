import t, { type Test } from 'tap';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { createAnnouncer } from '#mobilenetd/mqtt/home-assistant/announcer.js';
import type { DiscoveryOptions } from '#mobilenetd/mqtt/home-assistant/discovery.js';
import { createRetainedState } from '#mobilenetd/mqtt/publish/retained.js';
import { createTopics } from '#mobilenetd/mqtt/topics.js';
import { backgroundClock } from '#mobilenetd/time.js';
import {
  aedes,
  type BrokerKind,
  eventually,
  listenTo,
  mosquitto,
  type TestBroker,
} from '../brokers.js';

const ID = 'mobilenetd_same';
const TOPIC = `homeassistant/device/${ID}/config`;

/** A board whose device id is also another's. */
function startBoard(t: Test, broker: TestBroker, base: string, node: string) {
  const topics = createTopics({ base, node });
  const lines: string[] = [];
  const write = (_fields: object, message: string) => void lines.push(message);
  const log = { debug() {}, info: write, warn: write, error: write };
  const connection = createConnection({
    ...{ url: broker.url, ...broker.client, clientId: `${base}-${node}` },
  });
  const retained = createRetainedState({ connection, clock: backgroundClock, log });
  const announcer = createAnnouncer({
    connection,
    publisher: { retained, republish() {} },
    prefix: 'homeassistant',
    device: { id: ID, spare: `mobilenetd_spare_${base}_${node}`, legacy: null },
    root: topics.root,
    log,
  });
  const entities: DiscoveryOptions = {
    ...{ topics, node, version: '1', variants: [], limit: null },
    cameras: [{ name: 'front', labels: ['person'] }],
  };
  announcer.announce(entities);
  connection.start();
  t.teardown(async () => {
    announcer.close();
    await connection.close();
  });
  return { announcer, lines, root: topics.root };
}

async function check(t: Test, kind: BrokerKind): Promise<void> {
  for (const [first, second] of [
    [
      ['mobilenetd', 'Porch'],
      ['mobilenetd', 'porch'],
    ],
    [
      ['mobilenetd', 'back-yard'],
      ['mobilenetd', 'back_yard'],
    ],
    [
      ['one', 'porch'],
      ['two', 'porch'],
    ],
    // The same word to people, written with one letter and with two; a dot; a base below the other's root.
    [
      ['mobilenetd', 'K\u00fcche'],
      ['mobilenetd', 'Ku\u0308che'],
    ],
    [
      ['mobilenetd', 'porch.'],
      ['mobilenetd', 'porch'],
    ],
    [
      ['home', 'porch'],
      ['home/porch', 'front'],
    ],
  ] as const) {
    const broker = await kind.make();
    await broker.start();
    t.teardown(() => broker.stop());
    const house = await listenTo(broker);
    t.teardown(() => house.close());
    const one = startBoard(t, broker, first[0], first[1]);
    await house.until('the first', () => house.last.has(TOPIC));
    const message = house.last.get(TOPIC);
    const two = startBoard(t, broker, second[0], second[1]);
    await eventually('the second has noticed', () => two.announcer.device().rival === one.root);
    await eventually('and the first', () => one.announcer.device().rival === two.root);
    await eventually('a spare id', () => two.announcer.device().id !== ID);
    const spare = two.announcer.device().id;
    await house.until('both', () => house.last.has(`homeassistant/device/${spare}/config`));
    t.equal(house.last.get(TOPIC), message, 'nothing was taken away');
    t.match(one.lines.join(), new RegExp(`${two.root} has the same device id`));
    t.match(two.lines.join(), new RegExp(`${one.root} has the same device id`));
  }
}

for (const kind of [mosquitto, aedes]) {
  const skip = kind.available ? false : `${kind.name} is not installed`;
  t.test(`boards with one device id: ${kind.name}`, { skip }, (t) => check(t, kind));
}

t.test('a board that comes later and takes no notice', async (t) => {
  const broker = await aedes.make();
  await broker.start();
  t.teardown(() => broker.stop());
  const house = await listenTo(broker);
  t.teardown(() => house.close());
  const one = startBoard(t, broker, 'mobilenetd', 'porch');
  await house.until('announced', () => house.last.has(TOPIC));
  const theirs = JSON.stringify({
    device: {},
    availability: [{ topic: 'mobilenetd/attic/state' }],
    components: {},
  });
  await house.client.publishAsync(TOPIC, theirs, { qos: 1, retain: true });
  await eventually('noticed', () => one.announcer.device().rival === 'mobilenetd/attic');
  t.not(one.announcer.device().id, ID, 'ours goes elsewhere');
  await house.until('it is announced there', () =>
    house.last.has('homeassistant/device/mobilenetd_spare_mobilenetd_porch/config'),
  );
  t.equal(house.last.get(TOPIC), theirs);
});
