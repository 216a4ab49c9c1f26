import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { createPublisher } from '#mobilenetd/mqtt/publish/publisher.js';
import { createTopics } from '#mobilenetd/mqtt/topics.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { openStore } from '#mobilenetd/store/store.js';
import { backgroundClock, type Clock, systemClock } from '#mobilenetd/time.js';
import { aedes, type BrokerKind, eventually, listenTo, mosquitto } from '../mqtt/brokers.js';
import { WHOLE_PICTURE } from '../whole-picture.js';

const ROOT = 'mobilenetd/porch';
const MINUTES = 60;
const EVENTS = 3000;
/** Seconds an event is worth delivering: half of the outage. */
const MAX_AGE = (MINUTES * 60) / 2;
/** Every second is this many: the outage takes ten. */
const SPEED = 360;
const LABELS = 40;
/** What may be held beside the database, however long the outage. */
const MAX_GROWTH_BYTES = 4e6;
/** Of the events that wait, this part may go out before the retained states are right. */
const AHEAD = 0.1;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const CONNECTED = 'connected to the MQTT broker';

/** A clock that runs fast until it is told not to: from then on a busy broker has the time that it needs. */
class HastyClock implements Clock {
  #speed = SPEED;
  #since = performance.now();
  #before = 0;

  readonly now = () => this.#before + (performance.now() - this.#since) * this.#speed;
  readonly wall = () => Date.UTC(2026, 5, 1, 12) + this.now();
  readonly setTimer: Clock['setTimer'] = (run, ms) => systemClock.setTimer(run, ms / this.#speed);

  calmDown(): void {
    this.#before = this.now();
    this.#since = performance.now();
    this.#speed = 1;
  }
}

/** A board whose clocks and timers run fast until it connects for the second time. */
function createBoard(file: string, url: string) {
  const clock = new HastyClock();
  const { now: monotonic, wall: now } = clock;
  const lines: { time: number; message: string }[] = [];
  const write = (_fields: object, message: string) => {
    if (message === CONNECTED && lines.length > 0) clock.calmDown();
    lines.push({ time: now(), message });
  };
  const log = { debug() {}, info: write, warn: write, error: write };
  const store = openStore({
    file,
    commitInterval: 0.05,
    detectionInterval: 1,
    retention: { days: 30, maxBytes: 1e9 },
    outbox: { maxAge: MAX_AGE, maxRows: 10_000 },
    clock: { ...backgroundClock, now: monotonic, wall: now },
    log,
  });
  const topics = createTopics({ base: 'mobilenetd', node: 'porch' });
  const connection = createConnection({
    url,
    clientId: 'mobilenetd-porch',
    will: { topic: topics.state, payload: 'offline' },
    random: () => 0,
    clock,
    log,
  });
  const { outbox } = store;
  const publisher = createPublisher({
    ...{ connection, topics, outbox, version: '1', maxEventAge: MAX_AGE, log },
    clock: { ...systemClock, wall: now },
  });
  publisher.setCameras([{ name: 'front', labels: [] }]);
  return { store, connection, publisher, lines, now };
}

for (const kind of [mosquitto, aedes]) {
  const skip = kind.available ? false : 'not installed';
  t.test(`an hour without ${kind.name}`, { skip }, (t) => outage(t, kind));
}

async function outage(t: Test, kind: BrokerKind): Promise<void> {
  t.setTimeout(600_000);
  const broker = await kind.make();
  await broker.start();
  const board = createBoard(join(t.testdir(), 'mobilenetd.db'), broker.url);
  const { store, connection, publisher, lines, now } = board;
  const recorded = new Map<string, number>();
  let number = 0;
  const step = () => {
    const begins = number % 2 === 0;
    const event: PresenceEvent = {
      id: `e${number}`,
      type: begins ? 'new' : 'end',
      camera: 'front',
      label: `label ${number % LABELS}`,
      score: 0.9,
      start: now(),
      end: begins ? null : now(),
      model: 'm',
      alpha: 1,
      size: 300,
      count: 1,
      box: null,
      ...WHOLE_PICTURE,
    };
    recorded.set(event.id, now());
    number++;
    store.recordEvents([event], publisher.eventMessages([event]));
    publisher.applyEvents([event]);
  };
  publisher.start();
  await eventually('connected', () => connection.connected());
  await broker.stop();
  await eventually('the loss', () => !connection.connected());

  const lostAt = now();
  const heap: number[] = [];
  while (number < EVENTS) {
    const due = Math.min(EVENTS, ((now() - lostAt) / (MINUTES * 60_000)) * EVENTS);
    while (number < due) {
      step();
      // Every label has been seen by the first, so that what is kept for each is not counted.
      if (number % 500 === 0) heap.push(heapBytes());
    }
    await delay(3);
  }
  const growth = heap.slice(1).map((bytes) => bytes - (heap[0] ?? 0));
  t.comment(`heap against the 500th event, kB: ${growth.map((b) => (b / 1e3).toFixed(0))}`);
  t.ok(Math.max(...growth) < MAX_GROWTH_BYTES, 'memory is flat');

  await broker.start();
  const house = await listenTo(broker);
  await eventually('the connection', () => connection.connected());
  const upAt = performance.now();
  const backAt = lines.findLast(({ message }) => message === CONNECTED)?.time ?? 0;
  await house.until('online', () => house.last.get(`${ROOT}/state`) === 'online');
  const recovery = performance.now() - upAt;
  const ahead = house.heard.filter(({ topic }) => topic === `${ROOT}/front/events`).length;
  for (let label = 0; label < LABELS; label++) {
    const expected = label % 2 ? 'OFF' : 'ON';
    if (house.last.get(`${ROOT}/front/label_${label}`) !== expected) t.fail(`label ${label}`);
  }
  t.comment(`retained states were right ${recovery.toFixed(0)} ms after the connect`);
  t.ok(ahead < AHEAD * EVENTS, `retained states are right before what waits: ${ahead} events`);

  await eventually('the outbox is empty', () => store.outbox.depth() === 0);
  const emptyAt = now();
  const last = `"e${EVENTS - 1}"`;
  const events = () => house.heard.filter(({ topic }) => topic === `${ROOT}/front/events`);
  await house.until('the last', () => events().at(-1)?.text.includes(last) === true);
  const ids = [...new Set(events().map(({ text }) => String(JSON.parse(text).id)))];
  const numbers = ids.map((id) => Number(id.slice(1)));
  const [first = 0] = numbers;
  t.same(
    numbers,
    [...numbers].sort((a, b) => a - b),
    'what was delivered is in order',
  );
  const age = (id: number, at: number) => (at - (recorded.get(`e${id}`) ?? 0)) / 1000;
  t.ok(age(first, backAt) <= MAX_AGE + 1, `the oldest was ${age(first, backAt).toFixed(0)} s old`);
  const delivered = new Set(numbers);
  const missing = Array.from({ length: EVENTS }, (_, i) => i).filter((i) => !delivered.has(i));
  t.ok(age(missing.at(-1) ?? 0, emptyAt) >= MAX_AGE, 'nothing younger was dropped');
  // What is on its way when it becomes too old is given up and counted, and may arrive all the same.
  const late = store.outbox.dropped() - missing.length;
  t.ok(late >= 0, `what is missing was dropped and counted, ${late} came late`);
  t.equal([...store.events({ limit: 1e6 })].length, EVENTS, 'all are in the database');

  t.comment(
    lines.map(({ time, message }) => `${new Date(time).toISOString()} ${message}`).join('\n'),
  );
  const said = new Map<string, number>();
  for (const { time, message } of lines) {
    const before = said.get(message) ?? Number.NEGATIVE_INFINITY;
    if (time - before < 60_000) t.fail(`twice within a minute: ${message}`);
    said.set(message, time);
  }
  t.ok(lines.length < 10, `${lines.length} lines of log`);
  await publisher.close();
  store.close();
  await house.close();
  await broker.stop();
}
