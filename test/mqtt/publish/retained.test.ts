import t from 'tap';
import { codedError } from '#mobilenetd/errors.js';
import { type Log, SILENT } from '#mobilenetd/log.js';
import type { Connection, PublishOptions } from '#mobilenetd/mqtt/connection/connection.js';
import type { PendingMessage } from '#mobilenetd/mqtt/message.js';
import { OutboxDrain } from '#mobilenetd/mqtt/publish/drain.js';
import { createLabelsFeed } from '#mobilenetd/mqtt/publish/labels-feed.js';
import { createRetainedState } from '#mobilenetd/mqtt/publish/retained.js';
import { correctionOf } from '#mobilenetd/mqtt/publish/stale.js';
import { systemClock as clock } from '#mobilenetd/time.js';

/** A connection whose broker answers when the test says so. */
function createManual() {
  let up = true;
  const sent: { topic: string; text: string; options: PublishOptions }[] = [];
  const released: ((topic: string | null) => void)[] = [];
  const open: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const connection: Connection = {
    start() {},
    connected: () => up,
    fault: () => null,
    publish(topic, payload, options) {
      sent.push({ topic, text: Buffer.from(payload).toString(), options });
      return new Promise((resolve, reject) => void open.push({ resolve, reject }));
    },
    subscribe: async () => ({ async close() {} }),
    listen: () => ({ async close() {} }),
    onConnect() {},
    onDisconnect() {},
    onRelease: (listener) => void released.push(listener),
    broker: () => 'mqtt://x',
    held: () => [],
    limits: () => [],
    async close() {},
  };
  const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));
  return {
    connection,
    sent,
    texts: () => sent.map(({ topic, text }) => `${topic}=${text}`),
    async acknowledge(count = Number.POSITIVE_INFINITY) {
      for (const { resolve } of open.splice(0, count)) resolve();
      await settle();
    },
    async refuse(code: 'MND_MQTT_REFUSED' | 'MND_MQTT_HELD' = 'MND_MQTT_REFUSED') {
      open.shift()?.reject(codedError(code));
      await settle();
    },
    async release(topic: string | null) {
      for (const listener of released) listener(topic);
      await settle();
    },
    async lose() {
      up = false;
      for (const { reject } of open.splice(0)) reject(codedError('MND_MQTT_UNAVAILABLE'));
      await settle();
    },
    restore() {
      up = true;
    },
  };
}

t.test('a topic that changes faster than the broker costs one message under way', async (t) => {
  const broker = createManual();
  const state = createRetainedState({ connection: broker.connection, clock, log: SILENT });
  for (let i = 0; i < 1000; i++) state.set('a', `${i}`, { qos: 1 });
  t.same(broker.texts(), ['a=0']);
  await broker.acknowledge();
  t.same(broker.texts(), ['a=0', 'a=999'], 'and only the newest after it');
  await broker.acknowledge();
  state.set('a', '999', { qos: 1 });
  t.equal(broker.sent.length, 2, 'what has been said is not said again');
  state.set('a', 'x', { qos: 1 });
  state.set('a', '999', { qos: 1 });
  await broker.acknowledge();
  await broker.acknowledge();
  t.equal(broker.texts().at(-1), 'a=999');
  t.ok(broker.sent.every(({ options }) => options.retain));
});

t.test('what a broker refuses is told once an hour, by topic', async (t) => {
  const broker = createManual();
  const said: object[] = [];
  let now = 0;
  const log = { ...SILENT, warn: (fields: object) => void said.push(fields) };
  const state = createRetainedState({
    connection: broker.connection,
    clock: { ...clock, now: () => now },
    log,
  });
  for (const at of [0, 1000, 3_599_000, 3_600_000, 3_601_000]) {
    now = at;
    for (const topic of ['picture', 'info']) {
      state.set(topic, `${at}`, { qos: 0 });
      await broker.refuse();
    }
  }
  t.match(said, [
    { topic: 'picture' },
    { topic: 'info' },
    { topic: 'picture', repeated: 2 },
    { topic: 'info', repeated: 2 },
  ]);
  t.equal(said.length, 4);
});

t.test('a new connection is told everything once, the newest', async (t) => {
  const broker = createManual();
  const state = createRetainedState({ connection: broker.connection, clock, log: SILENT });
  state.set('a', '1', { qos: 1 });
  state.set('b', '1', { qos: 0 });
  await broker.lose();
  let settled = false;
  void state.settled().then(() => {
    settled = true;
  });
  await broker.acknowledge();
  t.equal(settled, true, 'nothing to wait for without a connection');
  state.set('a', '2', { qos: 1 });
  broker.sent.length = 0;
  broker.restore();
  state.republish();
  t.same(broker.texts(), ['a=2', 'b=1']);
  settled = false;
  void state.settled().then(() => {
    settled = true;
  });
  await broker.acknowledge(1);
  t.equal(settled, false);
  await broker.acknowledge();
  t.equal(settled, true);
});

t.test('topics under way are bounded, and cleared ones are forgotten', async (t) => {
  const broker = createManual();
  const state = createRetainedState({ connection: broker.connection, clock, log: SILENT });
  for (let i = 0; i < 100; i++) state.set(`t${i}`, 'x', { qos: 1 });
  t.equal(broker.sent.length, 16);
  await broker.acknowledge(4);
  t.equal(broker.sent.length, 20);
  while (broker.sent.length < 100) await broker.acknowledge();
  await broker.acknowledge();
  state.clear('t1');
  t.equal(broker.texts().at(-1), 't1=');
  t.equal(state.has('t1'), true, 'until the broker has agreed');
  await broker.acknowledge();
  t.equal(state.has('t1'), false);
  for (let i = 0; i < 20_000; i++) state.set(`n${i}`, 'x', { qos: 1 });
  t.equal(state.topics().length, 16_384);
});

t.test('what the broker refuses is not tried again before it changes', async (t) => {
  const broker = createManual();
  const state = createRetainedState({ connection: broker.connection, clock, log: SILENT });
  state.set('a', 'large', { qos: 1 });
  await broker.refuse();
  await broker.acknowledge();
  t.equal(broker.sent.length, 1);
  state.set('a', 'small', { qos: 1 });
  t.equal(broker.sent.length, 2);
  await broker.acknowledge();
});

function createOutbox(count: number) {
  const rows: PendingMessage[] = Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    created: 0,
    topic: 'events',
    payload: Buffer.from(`${i + 1}`),
    qos: 1,
    retain: false,
  }));
  const gone = new Set<number>();
  return {
    gone,
    next: (limit: number, after = 0) =>
      rows.filter(({ id }) => id > after && !gone.has(id)).slice(0, limit),
    acknowledge: (id: number) => void gone.add(id),
    depth: () => rows.length - gone.size,
    dropped: () => 0,
    onAdded: () => () => {},
  };
}

/** A drain that has just found its broker. */
function startDrain(
  connection: Connection,
  outbox: ReturnType<typeof createOutbox>,
  log: Log = SILENT,
): OutboxDrain {
  const drain = new OutboxDrain({ connection, outbox, propertiesOf: () => ({}), clock, log });
  drain.reset();
  drain.wake();
  return drain;
}

t.test('the drain keeps a window, and goes back to the oldest after a loss', async (t) => {
  const broker = createManual();
  const outbox = createOutbox(40);
  const { connection } = broker;
  const drain = startDrain(connection, outbox);
  t.equal(broker.sent.length, 16);
  await broker.acknowledge(3);
  t.equal(broker.sent.length, 19);
  t.same([...outbox.gone], [1, 2, 3]);
  await broker.lose();
  t.equal(outbox.depth(), 37, 'what was under way stays');
  drain.wake();
  t.equal(broker.sent.length, 19, 'nothing is sent without a connection');
  broker.sent.length = 0;
  broker.restore();
  drain.reset();
  drain.wake();
  t.equal(broker.sent[0]?.text, '4');
  while (outbox.depth() > 0) await broker.acknowledge(5);
  t.same(
    broker.sent.map(({ text }) => Number(text)),
    Array.from({ length: 37 }, (_, i) => i + 4),
  );
});

t.test('a message that is refused for good does not hold up those behind it', async (t) => {
  const broker = createManual();
  const outbox = createOutbox(3);
  const lines: string[] = [];
  const log = { ...SILENT, warn: (_fields: object, message: string) => void lines.push(message) };
  const drain = startDrain(broker.connection, outbox, log);
  await broker.refuse();
  await broker.refuse();
  await broker.acknowledge();
  t.equal(outbox.depth(), 0);
  t.equal(drain.refused(), 2);
  t.equal(lines.length, 1, 'said once a minute');
});

t.test('a topic that is held keeps its messages; the oldest is tried first', async (t) => {
  const broker = createManual();
  const outbox = createOutbox(6);
  const drain = startDrain(broker.connection, outbox);
  for (let i = 0; i < 6; i++) await broker.refuse('MND_MQTT_HELD');
  t.equal(outbox.depth(), 6);
  t.equal(drain.keptCount(), 6);
  broker.sent.length = 0;
  await broker.release('events');
  t.same(
    broker.sent.map(({ text }) => text),
    ['1'],
  );
  await broker.refuse('MND_MQTT_HELD');
  await broker.release(null);
  await broker.release(null);
  t.equal(broker.sent.length, 2, 'only the oldest, and only once');
  await broker.acknowledge();
  await broker.acknowledge();
  t.equal(outbox.depth(), 0);
  t.same(
    broker.sent.slice(1).map(({ text }) => text),
    ['1', '2', '3', '4', '5', '6'],
  );
});

t.test('corrections of what an earlier process left', async (t) => {
  const cases: [string, string, boolean, string][] = [
    ['front/cat', 'ON', true, 'off'],
    ['front/cat', 'OFF', true, 'keep'],
    ['front/cat', 'something else', true, 'keep'],
    ['front/label', 'cat', true, 'keep'],
    ['front/cat/attributes', '{}', true, 'clear'],
    ['front/detect/state', 'ON', true, 'keep'],
    ['gone/detect/state', 'ON', false, 'clear'],
    ['governor/pin/state', 'auto', false, 'keep'],
    ['gone/cat', 'ON', false, 'off-and-clear'],
    ['gone/cat', 'OFF', false, 'clear'],
    ['gone/status', 'online', false, 'offline-and-clear'],
    ['gone/snapshot', 'JPEG', false, 'clear'],
    ['governor/pin', 'ON', false, 'keep'],
    ['request/health', 'ON', false, 'keep'],
    ['gone/cat', '', false, 'keep'],
  ];
  for (const [topic, payload, known, expected] of cases) {
    t.equal(correctionOf(topic.split('/'), payload, known), expected, topic);
  }
});

t.test('labels: the newest, once a second, an empty scene once', async (t) => {
  let time = 0;
  const due: { at: number; run: () => void }[] = [];
  const shown: [number, number][] = [];
  const feed = createLabelsFeed({
    clock: {
      ...clock,
      now: () => time,
      setTimer(run, ms) {
        due.push({ at: time + ms, run });
        return () => void due.splice(0);
      },
    },
    publish: (_camera, payload) => {
      const { labels } = payload as { labels: { score: number }[] };
      shown.push([time, labels[0]?.score ?? -1]);
    },
  });
  const show = (score: number | null) =>
    feed.show({
      camera: 'front',
      sequence: 1,
      capturedAt: 0,
      time: 0,
      model: 'm',
      alpha: 1,
      size: 300,
      timings: { decode: 0, preprocess: 0, inference: 1, postprocess: 0 },
      labels: score === null ? [] : [{ index: 1, label: 'cat', score, box: null }],
    });
  for (; time < 2500; time += 100) {
    for (const timer of due.splice(0)) {
      if (timer.at <= time) timer.run();
      else due.push(timer);
    }
    show(time / 10_000);
  }
  t.same(
    shown.map(([at]) => at),
    [0, 1000, 2000],
  );
  t.equal(shown[1]?.[1], 0.09, 'the newest there was');
  shown.length = 0;
  due.splice(0);
  time = 10_000;
  for (let i = 0; i < 20; i++) {
    show(null);
    time += 1000;
  }
  t.equal(shown.length, 1);
  show(0.5);
  t.equal(shown.length, 2);
  show(0.6);
  feed.stop();
  t.equal(due.length, 0);
});
