import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { createPublisher } from '#mobilenetd/mqtt/publish/publisher.js';
import { createTopics } from '#mobilenetd/mqtt/topics.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { openStore } from '#mobilenetd/store/store.js';
import { lastingFolder } from '../../lasting-folder.js';
import { WHOLE_PICTURE } from '../../whole-picture.js';
import { eventually } from '../brokers.js';
import { startPickyBroker } from '../picky-broker.js';

const ROOT = 'mobilenetd/porch';
const WAIT_MS = 400;

function event(id: string, more: Partial<PresenceEvent> = {}): PresenceEvent {
  return {
    ...{ id, type: 'new', camera: 'front', label: 'person', score: 0.81234567 },
    ...{ start: 1e12, end: null, model: 'm', alpha: 1, size: 300, count: 1, box: [1.23, 2, 3, 4] },
    ...WHOLE_PICTURE,
    ...more,
  };
}

async function startBoard(t: Test, version: 4 | 5) {
  const broker = await startPickyBroker({ version });
  const store = openStore({
    file: join(lastingFolder(t), 'mobilenetd.db'),
    ...{ commitInterval: 0.05, detectionInterval: 1, retention: { days: 30, maxBytes: 1e9 } },
    outbox: { maxAge: 1e9, maxRows: 5000 },
  });
  const topics = createTopics({ base: 'mobilenetd', node: 'porch' });
  const connection = createConnection({
    ...{ url: broker.url, protocol: version, clientId: 'x' },
  });
  const { outbox } = store;
  const publisher = createPublisher({
    ...{ connection, topics, outbox, version: '1', maxEventAge: 1e9, pictureWaitMs: WAIT_MS },
  });
  publisher.setCameras([
    { name: 'front', labels: [] },
    { name: 'back', labels: [] },
  ]);
  publisher.start();
  t.teardown(async () => {
    await publisher.close();
    store.close();
    await broker.close();
  });
  await eventually('online', () => broker.last(`${ROOT}/state`) === 'online');
  broker.taken.length = 0;
  const record = (...events: PresenceEvent[]) => {
    const pictured = events.filter(({ type }) => type === 'new');
    store.recordEvents(events, publisher.eventMessages(events, pictured));
    publisher.applyEvents(events);
  };
  /** What went out of pictures and events, in order. */
  const order = () =>
    broker.taken.flatMap(({ topic, text }) => {
      const name = topic.slice(ROOT.length + 1);
      if (name.endsWith('/events')) return [`${name} ${JSON.parse(text).id}`];
      return name.includes('/snapshot') ? [name] : [];
    });
  return { broker, publisher, outbox, record, order };
}

for (const version of [4, 5] as const) {
  t.test(`the picture is out before its event, MQTT ${version}`, async (t) => {
    const { broker, publisher, outbox, record, order } = await startBoard(t, version);
    const first = event('e1');
    record(first, event('b1', { camera: 'back', type: 'update' }));
    await eventually('another camera does not wait', () => order().length === 1);
    t.same(order(), ['back/events b1']);
    record(event('e1', { type: 'end', end: 1e12 + 1 }));
    publisher.setSnapshot('front', Buffer.from('JPEG'), first, 1e12);
    await eventually('all', () => outbox.depth() === 0);
    t.same(order().slice(1), [
      'front/snapshot/attributes',
      'front/snapshot',
      'front/events e1',
      'front/events e1',
    ]);
    t.same(JSON.parse(broker.last(`${ROOT}/front/snapshot/attributes`) ?? ''), {
      event: 'e1',
      label: 'person',
      score: 0.8123,
      box: [1.2, 2, 3, 4],
      time: '2001-09-09T01:46:40.000Z',
    });
  });

  t.test(`an event whose picture does not come is not lost, MQTT ${version}`, async (t) => {
    const { publisher, outbox, record, order } = await startBoard(t, version);
    record(event('never'));
    await eventually('it goes without', () => outbox.depth() === 0);
    const none = event('none');
    record(none, event('after', { type: 'update' }));
    publisher.withoutPicture(none);
    await eventually('both', () => outbox.depth() === 0);
    publisher.setSnapshot('front', Buffer.from('JPEG'));
    await eventually('a picture that was asked for', () => order().length === 5);
    t.same(order(), [
      'front/events never',
      'front/events none',
      'front/events after',
      'front/snapshot/attributes',
      'front/snapshot',
    ]);
  });
}
