import { join } from 'node:path';
import t from 'tap';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { createPublisher } from '#mobilenetd/mqtt/publish/publisher.js';
import { correctionOf } from '#mobilenetd/mqtt/publish/stale.js';
import { checkZoneNames, createTopics } from '#mobilenetd/mqtt/topics.js';
import type { ZoneState } from '#mobilenetd/presence/event.js';
import { openStore } from '#mobilenetd/store/store.js';
import { lastingFolder } from '../../lasting-folder.js';
import { eventually } from '../brokers.js';
import { schemaFaults } from '../payload-rules.js';
import { startPickyBroker } from '../picky-broker.js';

const ROOT = 'mobilenetd/porch';
const PERSON = `${ROOT}/front/path_to_door/person`;
const STATE: ZoneState = {
  ...{ camera: 'front', zone: 'path to door', label: 'person', count: 2, since: 1e12 },
  ...{ score: 0.87654321, loitering: false, events: ['e1', 'e2'] },
};

t.test(
  'labels in zones are OFF from the start, ON while there is one, and taken back',
  async (t) => {
    const broker = await startPickyBroker({ version: 5 });
    const store = openStore({
      file: join(lastingFolder(t), 'mobilenetd.db'),
      ...{ commitInterval: 0.05, detectionInterval: 1, retention: { days: 30, maxBytes: 1e9 } },
      outbox: { maxAge: 1e9, maxRows: 5000 },
    });
    const topics = createTopics({ base: 'mobilenetd', node: 'porch' });
    const connection = createConnection({ url: broker.url, protocol: 5, clientId: 'x' });
    const { outbox } = store;
    const publisher = createPublisher({
      ...{ connection, topics, outbox, version: '1', maxEventAge: 1e9 },
    });
    const camera = { name: 'front', labels: ['person'] };
    const zone = { name: 'path to door', labels: ['person'] };
    publisher.setCameras([{ ...camera, zones: [zone, { name: 'street', labels: ['person'] }] }]);
    publisher.start();
    t.teardown(async () => {
      await publisher.close();
      store.close();
      await broker.close();
    });
    const last = (topic: string) => broker.last(topic);
    const attributes = () => JSON.parse(last(`${PERSON}/attributes`) ?? '{}');
    await eventually('online', () => last(`${ROOT}/state`) === 'online');
    t.equal(last(PERSON), 'OFF');
    t.same(attributes(), { score: 0, since: null, count: 0, loitering: false, events: [] });

    publisher.applyZones([STATE]);
    await eventually('ON', () => last(PERSON) === 'ON');
    t.match(attributes(), { score: 0.8765, count: 2, loitering: false, events: ['e1', 'e2'] });
    t.equal(schemaFaults('zone-attributes', attributes()), null);
    publisher.applyZones([{ ...STATE, count: 0, events: [], since: 1e12 + 5 }]);
    await eventually('OFF', () => last(PERSON) === 'OFF' && attributes().count === 0);

    publisher.applyZones([{ ...STATE, zone: 'street' }]);
    await eventually('ON in the other', () => last(`${ROOT}/front/street/person`) === 'ON');
    publisher.setCameras([{ ...camera, zones: [zone] }]);
    await eventually('taken back', () => last(`${ROOT}/front/street/person`) === '');
    const said = broker.taken.filter(({ topic }) => topic === `${ROOT}/front/street/person`);
    t.same(
      said.map(({ text }) => text),
      ['OFF', 'ON', 'OFF', ''],
      'OFF before it goes',
    );

    publisher.applyZones([STATE]);
    await eventually('ON again', () => last(PERSON) === 'ON');
    await publisher.close();
    t.equal(last(PERSON), 'OFF', 'a clean end says so');
  },
);

t.test('what an earlier run left behind in zones is corrected', async (t) => {
  const correction = (topic: string, payload: string, known = true) =>
    correctionOf(topic.split('/'), payload, known);
  t.equal(correction('front/porch/person', 'ON'), 'off-and-clear');
  t.equal(correction('front/porch/person', 'OFF'), 'clear');
  t.equal(correction('front/porch/person/attributes', '{}'), 'clear');
  t.equal(correction('front/porch/person', 'ON', false), 'off-and-clear');
  t.equal(correction('front/detect/state', 'ON'), 'keep', 'a command of a camera that runs');
  t.equal(correction('governor/pin/state', 'auto'), 'keep');
  t.equal(correction('front/snapshot/attributes', '{}'), 'keep');
});

t.test('a zone has a topic of its own', async (t) => {
  t.doesNotThrow(() => checkZoneNames(['porch', 'street'], ['person', 'car']));
  for (const [zones, labels, found] of [
    [['person'], ['person'], /that of the label "person"/],
    [['coffee_mug'], ['coffee mug'], /that of the label "coffee mug"/],
    [['events'], [], /another meaning/],
    [['a b', 'a_b'], [], /that of "a b"/],
  ] as const) {
    t.throws(() => checkZoneNames(zones, labels), { code: 'MND_MQTT_TOPIC', message: found });
  }
});
