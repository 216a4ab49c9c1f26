import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { createPublisher } from '#mobilenetd/mqtt/publish/publisher.js';
import { createTopics } from '#mobilenetd/mqtt/topics.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { openStore } from '#mobilenetd/store/store.js';
import { eventually, fastClock, listenTo, mosquitto } from '../mqtt/brokers.js';
import { WHOLE_PICTURE } from '../whole-picture.js';
import { soak } from './soak.js';

const SECONDS = soak(8, 300);
const ROOT = 'mobilenetd/porch';

type Mood = 'fine' | 'slow' | 'truncate' | 'silent';

/** A bad network: passes bytes on, late, cut off or not at all. */
async function startProxy(target: number) {
  const pairs = new Set<[Socket, Socket]>();
  let mood: Mood = 'fine';
  let accepted = 0;
  const server = createServer((inside) => {
    accepted++;
    const outside = dial(target, '127.0.0.1');
    const pair: [Socket, Socket] = [inside, outside];
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      inside.destroy();
      outside.destroy();
    };
    const pass = (from: Socket, to: Socket): void => {
      from.on('error', end).on('close', end);
      from.on('data', (chunk: Buffer) => {
        if (mood === 'silent') return;
        if (mood === 'truncate') {
          to.write(chunk.subarray(0, Math.ceil(chunk.length / 2)));
          end();
        } else if (mood === 'slow') {
          setTimeout(() => to.writable && to.write(chunk), 100);
        } else {
          to.write(chunk);
        }
      });
    };
    pass(inside, outside);
    pass(outside, inside);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    accepted: () => accepted,
    open: () => pairs.size,
    setMood(next: Mood) {
      mood = next;
    },
    reset() {
      for (const [inside] of pairs) inside.resetAndDestroy();
    },
    async close() {
      for (const [inside, outside] of pairs) {
        inside.destroy();
        outside.destroy();
      }
      server.close();
    },
  };
}

const skip = mosquitto.available ? false : 'Mosquitto is not installed';
t.setTimeout((SECONDS + 60) * 1000);

t.test(
  'a bad network and a bad broker lose no event and leave nothing stuck',
  { skip },
  async (t) => {
    const broker = await mosquitto.make({ persistent: true });
    await broker.start();
    const proxy = await startProxy(broker.port);
    // A session of its own in the broker: what is acknowledged to the board reaches this client.
    const house = await listenTo(broker.url, `${ROOT}/#`, { clientId: 'house', clean: false });
    const store = openStore({
      file: join(t.testdir(), 'mobilenetd.db'),
      commitInterval: 0.05,
      detectionInterval: 1,
      retention: { days: 30, maxBytes: 1e9 },
      outbox: { maxAge: 3600, maxRows: 100_000 },
    });
    const topics = createTopics({ base: 'mobilenetd', node: 'porch' });
    const connection = createConnection({
      url: `mqtt://127.0.0.1:${proxy.port}`,
      clientId: 'mobilenetd-porch',
      will: { topic: topics.state, payload: 'offline' },
      keepalive: 1,
      random: () => 0,
      clock: fastClock(20),
    });
    const publisher = createPublisher({
      connection,
      topics,
      outbox: store.outbox,
      version: '1',
      maxEventAge: 3600,
    });
    publisher.setCameras([{ name: 'front', labels: ['person'] }]);
    publisher.setCameraState('front', 'online');
    publisher.start();

    let number = 0;
    let present = false;
    const step = (): void => {
      present = !present;
      const event: PresenceEvent = {
        // Of a stay, its beginning and its end.
        id: `e${Math.floor(number++ / 2)}`,
        type: present ? 'new' : 'end',
        camera: 'front',
        label: 'person',
        score: 0.9,
        start: 1e12,
        end: present ? null : 1e12 + 1,
        model: 'm',
        alpha: 1,
        size: 300,
        count: 1,
        box: null,
        ...WHOLE_PICTURE,
      };
      store.recordEvents([event], publisher.eventMessages([event]));
      publisher.applyEvents([event]);
    };
    const events = setInterval(step, 10);

    const disturb = [
      () => proxy.reset(),
      () => proxy.setMood('truncate'),
      () => proxy.setMood('slow'),
      () => proxy.setMood('silent'),
      () => broker.signal('SIGSTOP'),
      async () => {
        await broker.stop();
        await broker.start();
      },
    ];
    const end = performance.now() + SECONDS * 1000;
    for (let round = 0; performance.now() < end; round++) {
      await disturb[round % disturb.length]?.();
      await new Promise((resolve) => setTimeout(resolve, SECONDS > 60 ? 2000 : 700));
      proxy.setMood('fine');
      broker.signal('SIGCONT');
      await new Promise((resolve) => setTimeout(resolve, SECONDS > 60 ? 1000 : 300));
    }
    clearInterval(events);
    if (present) step();

    const held = connection.held().map(({ topic, reason }) => `${topic}: ${reason}`);
    t.comment(`held back at the end: ${held.join('; ') || 'nothing'}`);
    await eventually('the outbox is empty', () => store.outbox.depth() === 0);
    await house.until('online', () => house.last.get(`${ROOT}/state`) === 'online');
    await house.until('OFF', () => house.last.get(`${ROOT}/front/person`) === 'OFF');
    const seen = new Set<number>();
    for (const { topic, text } of house.heard) {
      if (topic !== `${ROOT}/front/events`) continue;
      const { id, type } = JSON.parse(text);
      seen.add(Number(id.slice(1)) * 2 + (type === 'end' ? 1 : 0));
    }
    const lost = Array.from({ length: number }, (_, i) => i).filter((i) => !seen.has(i));
    t.comment(`${number} events, ${proxy.accepted()} connections`);
    t.same(lost, [], `none of ${number} events is lost over ${proxy.accepted()} connections`);
    t.equal(store.outbox.dropped(), 0);
    t.equal(publisher.refused(), 0);
    t.equal(proxy.open(), 1, 'one connection, no second client');
    t.equal(house.last.get(`${ROOT}/front/status`), 'online');
    t.equal(house.last.get(`${ROOT}/front/label`), 'none');
    await publisher.close();
    store.close();
    await house.close();
    await proxy.close();
    await broker.stop();
  },
);
