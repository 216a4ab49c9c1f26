// A process of its own: it runs its tests side by side.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Result } from '#mobilenetd/inference/result.js';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { createPublisher } from '#mobilenetd/mqtt/publish/publisher.js';
import { createTopics } from '#mobilenetd/mqtt/topics.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { openStore } from '#mobilenetd/store/store.js';
import { lastingFolder } from '../lasting-folder.js';
import {
  type BrokerKind,
  eventually,
  fastClock,
  KINDS,
  listenTo,
  type TestBroker,
} from '../mqtt/brokers.js';
import { WHOLE_PICTURE } from '../whole-picture.js';

const ROOT = 'mobilenetd/porch';
const START = Date.UTC(2026, 5, 1, 12);

function event(more: Partial<PresenceEvent> = {}): PresenceEvent {
  return {
    id: 'e1',
    type: 'new',
    camera: 'front',
    label: 'person',
    score: 0.812345,
    start: START,
    end: null,
    model: 'ssd_300',
    alpha: 1,
    size: 300,
    count: 1,
    box: [1.26, 2, 3, 4],
    ...WHOLE_PICTURE,
    ...more,
  };
}

function result(labels: readonly [string, number][]): Result {
  return {
    camera: 'front',
    sequence: 1,
    capturedAt: 0,
    time: START,
    model: 'ssd_300',
    alpha: 1,
    size: 300,
    timings: { decode: 0, preprocess: 1, inference: 4.321, postprocess: 0 },
    labels: labels.map(([label, score], index) => ({ index, label, score, box: [1, 2, 3, 4] })),
  };
}

interface Line {
  level: string;
  message: string;
}

function createLog() {
  const lines: Line[] = [];
  const write = (level: string) => (_fields: object, message: string) =>
    void lines.push({ level, message });
  const [debug, info, warn, error] = ['debug', 'info', 'warn', 'error'].map(write) as [
    (fields: object, message: string) => void,
    (fields: object, message: string) => void,
    (fields: object, message: string) => void,
    (fields: object, message: string) => void,
  ];
  return { lines, debug, info, warn, error };
}

interface BoardOptions {
  readonly file?: string;
  readonly username?: string;
  readonly password?: string;
  readonly keepalive?: number;
}

/** Store, connection and publisher of one board, as the daemon wires them. */
function createBoard(t: Test, broker: TestBroker, options: BoardOptions = {}) {
  const log = createLog();
  const store = openStore({
    file: options.file ?? join(lastingFolder(t), 'mobilenetd.db'),
    commitInterval: 0.05,
    detectionInterval: 1,
    retention: { days: 30, maxBytes: 1e9 },
    outbox: { maxAge: 3600, maxRows: 5000 },
    log,
  });
  const topics = createTopics({ base: 'mobilenetd', node: 'porch' });
  const connection = createConnection({
    url: broker.url,
    clientId: 'mobilenetd-porch',
    will: { topic: topics.state, payload: 'offline' },
    // The shortest waits of the back-off, ten times as fast.
    random: () => 0,
    clock: fastClock(10),
    log,
    ...broker.client,
    ...(options.keepalive && { keepalive: options.keepalive }),
    ...(options.username && { username: options.username }),
    ...(options.password && { password: options.password }),
  });
  const publisher = createPublisher({
    connection,
    topics,
    outbox: store.outbox,
    version: '1.2.3',
    maxEventAge: 3600,
    log,
  });
  publisher.setCameras([{ name: 'front', labels: ['person', 'coffee mug'] }]);
  return {
    store,
    connection,
    publisher,
    log,
    show(...events: PresenceEvent[]) {
      store.recordEvents(events, publisher.eventMessages(events));
      publisher.applyEvents(events);
    },
    async close() {
      await publisher.close();
      store.close();
    },
  };
}

async function startBroker(t: Test, kind: BrokerKind, setup = {}): Promise<TestBroker> {
  const broker = await kind.make(setup);
  await broker.start();
  t.teardown(() => broker.stop());
  return broker;
}

// Real connections that are lost on purpose wait for real back-offs.
t.setTimeout(500_000);

// They wait more than they work.
t.jobs = 3;

for (const kind of KINDS) {
  t.test(
    `against ${kind.name}`,
    { skip: kind.available ? false : 'not installed', buffered: true },
    (t) => {
      suite(t, kind);
      t.end();
    },
  );
}

function suite(t: Test, kind: BrokerKind): void {
  t.test('the topic table holds from start to clean end', async (t) => {
    const broker = await startBroker(t, kind);
    const house = await listenTo(broker);
    const board = createBoard(t, broker);
    board.publisher.setInfo({ version: '1.2.3' });
    board.publisher.setHealth({ outbox: 0 });
    board.publisher.setGovernor({ alpha: 1 });
    board.publisher.setCameraState('front', 'online');
    board.publisher.start();
    await house.until('online', () => house.last.get(`${ROOT}/state`) === 'online');
    t.same(Object.fromEntries(house.last), {
      [`${ROOT}/state`]: 'online',
      [`${ROOT}/info`]: '{"version":"1.2.3"}',
      [`${ROOT}/health`]: '{"outbox":0}',
      [`${ROOT}/governor`]: '{"alpha":1}',
      [`${ROOT}/front/status`]: 'online',
      [`${ROOT}/front/status/attributes`]: house.last.get(`${ROOT}/front/status/attributes`),
      [`${ROOT}/front/label`]: 'none',
      [`${ROOT}/front/person`]: 'OFF',
      [`${ROOT}/front/person/attributes`]:
        '{"score":0,"since":null,"count":0,"box":null,"sub_label":null,"sub_score":null}',
      [`${ROOT}/front/coffee_mug`]: 'OFF',
      [`${ROOT}/front/coffee_mug/attributes`]:
        '{"score":0,"since":null,"count":0,"box":null,"sub_label":null,"sub_score":null}',
    });
    t.match(JSON.parse(house.last.get(`${ROOT}/front/status/attributes`) ?? ''), {
      reason: null,
      since: /^\d{4}-.*Z$/,
    });
    t.equal(house.heard.at(-1)?.topic, `${ROOT}/state`, 'availability is said last');

    board.show(event());
    board.publisher.showResult(result([['person', 0.8]]));
    await house.until('ON', () => house.last.get(`${ROOT}/front/person`) === 'ON');
    await house.until('event', () => house.last.has(`${ROOT}/front/events`));
    await house.until('labels', () => house.last.has(`${ROOT}/front/labels`));
    t.equal(house.last.get(`${ROOT}/front/label`), 'person');
    t.same(JSON.parse(house.last.get(`${ROOT}/front/events`) ?? ''), {
      id: 'e1',
      type: 'new',
      camera: 'front',
      label: 'person',
      score: 0.8123,
      start: '2026-06-01T12:00:00.000Z',
      end: null,
      model: 'ssd_300',
      alpha: 1,
      size: 300,
      count: 1,
      box: [1.3, 2, 3, 4],
      ...{ object: null, stationary: false, zones: [], loitering: [] },
      ...{ sub_label: null, sub_score: null, picture: null },
    });
    t.same(JSON.parse(house.last.get(`${ROOT}/front/labels`) ?? ''), {
      time: '2026-06-01T12:00:00.000Z',
      model: 'ssd_300',
      alpha: 1,
      size: 300,
      ms: 4.3,
      labels: [{ label: 'person', score: 0.8, box: [1, 2, 3, 4] }],
    });
    board.show(
      event({ id: 'e2', label: 'coffee mug', score: 0.9 }),
      event({ type: 'end', end: START + 5000 }),
    );
    await house.until('mug', () => house.last.get(`${ROOT}/front/label`) === 'coffee mug');
    await house.until('OFF', () => house.last.get(`${ROOT}/front/person`) === 'OFF');

    // The clock is set: what ended, and the status, happened at another time than was said.
    const sinceOf = (topic: string): string =>
      JSON.parse(house.last.get(`${ROOT}/front/${topic}/attributes`) ?? '{}').since;
    await house.until('since', () => sinceOf('person') === '2026-06-01T12:00:05.000Z');
    const status = Date.parse(sinceOf('status'));
    board.publisher.shiftTimes(3_600_000);
    await house.until('shifted', () => sinceOf('person') === '2026-06-01T13:00:05.000Z');
    await house.until('status', () => Date.parse(sinceOf('status')) === status + 3_600_000);
    t.equal(house.last.get(`${ROOT}/front/person`), 'OFF');

    await board.close();
    await house.until('offline', () => house.last.get(`${ROOT}/state`) === 'offline');
    t.equal(house.last.get(`${ROOT}/front/coffee_mug`), 'OFF');
    t.equal(house.last.get(`${ROOT}/front/status`), 'offline');
    t.equal(house.last.get(`${ROOT}/front/label`), 'none');
    t.equal(house.heard.at(-1)?.topic, `${ROOT}/state`);
    await house.close();

    const later = await listenTo(broker);
    await later.until('retained', () => later.last.size >= 11);
    t.notOk(later.last.has(`${ROOT}/front/events`), 'events are not retained');
    t.ok(later.heard.every((message) => message.retain));
    await later.close();
  });

  t.test('a killed process is offline by its will, its labels OFF after the restart', async (t) => {
    const broker = await startBroker(t, kind);
    const house = await listenTo(broker);
    const file = join(lastingFolder(t), 'mobilenetd.db');
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', boardProgram(broker, file)],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    await house.until('ON', () => house.last.get(`${ROOT}/front/zebra`) === 'ON');
    await house.until('event', () => house.last.has(`${ROOT}/front/events`));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await house.until('offline', () => house.last.get(`${ROOT}/state`) === 'offline');
    t.equal(house.last.get(`${ROOT}/front/zebra`), 'ON', 'nobody has corrected it yet');

    const board = createBoard(t, broker, { file });
    t.match(board.store.openEvents(), [{ id: 'killed', label: 'zebra' }]);
    board.publisher.start();
    await house.until('online', () => house.last.get(`${ROOT}/state`) === 'online');
    t.equal(house.last.get(`${ROOT}/front/zebra`), 'OFF', 'OFF before the board is online');
    t.notOk(house.last.has(`${ROOT}/front/zebra/attributes`));
    await board.close();
    await house.close();
  });

  t.test('stale labels, cameras and attributes are taken back without a database', async (t) => {
    const broker = await startBroker(t, kind);
    const house = await listenTo(broker);
    const stale: Record<string, string> = {
      'front/person': 'ON',
      'front/giraffe': 'ON',
      'front/giraffe/attributes': '{"score":0.9}',
      'front/horse': 'OFF',
      'gone/person': 'ON',
      'gone/status': 'online',
      'gone/label': 'person',
      'gone/person/attributes': '{"score":0.9}',
      'request/health': 'ON',
    };
    for (const [topic, payload] of Object.entries(stale)) {
      await house.client.publishAsync(`${ROOT}/${topic}`, payload, { qos: 1, retain: true });
    }
    await house.client.publishAsync('mobilenetd/other/front/person', 'ON', { retain: true });
    await house.until('stale', () => house.last.size === 10);
    const board = createBoard(t, broker);
    board.show(event());
    board.publisher.start();
    await house.until('online', () => house.last.get(`${ROOT}/state`) === 'online');
    await house.until('cleared', () =>
      [...house.last.keys()].every((topic) => !topic.startsWith(`${ROOT}/gone/`)),
    );
    t.equal(house.last.get(`${ROOT}/front/person`), 'ON', 'what is present stays ON');
    t.equal(house.last.get(`${ROOT}/front/giraffe`), 'OFF');
    t.equal(house.last.get(`${ROOT}/front/horse`), 'OFF');
    t.notOk(house.last.has(`${ROOT}/front/giraffe/attributes`));
    t.same(
      [...house.last.keys()].filter((topic) => topic.startsWith(`${ROOT}/gone/`)),
      [],
    );
    const gone = house.heard.filter((message) => message.topic === `${ROOT}/gone/person`);
    t.same(
      gone.map((message) => message.text),
      ['ON', 'OFF', ''],
      'OFF is heard before the topic goes',
    );
    t.equal(house.last.get('mobilenetd/other/front/person'), 'ON', 'other boards are left alone');
    t.equal(house.last.get(`${ROOT}/request/health`), 'ON');
    await board.close();
    await house.close();
  });

  t.test('starts before the broker, survives its restart, says everything again', async (t) => {
    const broker = await kind.make();
    const board = createBoard(t, broker);
    board.publisher.start();
    board.show(event());
    await eventually('a report', () => board.log.lines.some((line) => line.level === 'warn'));
    t.match(board.log.lines.at(-1), { message: /nothing listens.*tried again/ });
    await broker.start();
    const house = await listenTo(broker);
    await house.until('online', () => house.last.get(`${ROOT}/state`) === 'online');
    await house.until('event', () => house.last.has(`${ROOT}/front/events`));
    await house.close();
    await broker.stop();
    await eventually('loss', () => !board.connection.connected());
    board.show(event({ type: 'end', end: START + 1000 }));
    board.show(event({ id: 'e2', label: 'coffee mug' }));
    await broker.start();
    // This broker has forgotten everything: what is heard now was said again.
    const again = await listenTo(broker);
    await again.until('online', () => again.last.get(`${ROOT}/state`) === 'online');
    t.equal(again.last.get(`${ROOT}/front/person`), 'OFF');
    t.equal(again.last.get(`${ROOT}/front/coffee_mug`), 'ON');
    await eventually('the outbox is empty', () => board.store.outbox.depth() === 0);
    const warnings = board.log.lines.filter((line) => line.level === 'warn');
    t.equal(warnings.length, 1, 'one line for all that');
    await board.close();
    await again.close();
    await broker.stop();
  });

  t.test('events are not lost and not reordered by a broker that restarts meanwhile', async (t) => {
    const broker = await startBroker(t, kind);
    const board = createBoard(t, broker);
    board.publisher.start();
    await eventually('connected', () => board.connection.connected());
    const ids: string[] = [];
    let sent = 0;
    for (let round = 0; round < 3; round++) {
      const house = await listenTo(broker, `${ROOT}/front/events`);
      await eventually('connected', () => board.connection.connected());
      for (let i = 0; i < 200; i++) board.show(event({ id: `e${sent++}` }));
      await house.until('some', () => house.heard.length > 20 * round);
      ids.push(...house.heard.map((message) => String(JSON.parse(message.text).id)));
      await house.close();
      if (round === 2) break;
      await broker.stop();
      await broker.start();
    }
    await eventually('empty', () => board.store.outbox.depth() === 0);
    const numbers = ids.map((id) => Number(id.slice(1)));
    t.ok(numbers.length > 20);
    // A house that is itself away misses some; repeats may only go back to unacknowledged ones.
    const steps = numbers.map((value, i) => value - (numbers[i - 1] ?? -1));
    t.ok(
      steps.every((step) => step >= -16),
      'at most a window is repeated',
    );
    await board.close();
  });

  t.test('a wrong password is reported without it, and tried again', async (t) => {
    const secret = `s3cret "quoted" ünï code`;
    const user = { name: 'porch', password: secret };
    const broker = await startBroker(t, kind, { user });
    const wrong = createBoard(t, broker, { username: 'porch', password: `${secret}?` });
    wrong.publisher.start();
    await eventually('a report', () => wrong.log.lines.some((line) => line.level === 'warn'));
    t.match(wrong.log.lines, [{ message: /refuses the user name or password.*mqtt.password/ }]);
    t.equal(wrong.connection.fault(), 'the broker refuses the user name or password');
    await wrong.close();
    const right = createBoard(t, broker, {
      username: 'porch',
      password: secret,
      file: join(lastingFolder(t), 'right.db'),
    });
    right.publisher.start();
    await eventually('connected', () => right.connection.connected());
    const lines = JSON.stringify([wrong.log.lines, right.log.lines]);
    t.notMatch(lines, /s3cret|quoted|ünï/);
    await right.close();
  });

  t.test('a picture that the broker does not take stops hurting after three losses', async (t) => {
    const broker = await startBroker(t, kind, { maxPacket: 50_000 });
    const house = await listenTo(broker);
    const board = createBoard(t, broker);
    board.publisher.setSnapshot('front', new Uint8Array(100_000));
    board.publisher.start();
    await eventually('given up', () =>
      board.log.lines.some((line) => /refuses a message/.test(line.message)),
    );
    await house.until('online', () => house.last.get(`${ROOT}/state`) === 'online');
    board.show(event());
    await house.until('event', () => house.last.has(`${ROOT}/front/events`));
    t.notOk(house.last.has(`${ROOT}/front/snapshot`));
    board.publisher.setSnapshot('front', Buffer.from('a small picture'));
    await house.until('picture', () => house.last.has(`${ROOT}/front/snapshot`));
    await board.close();
    await house.close();
  });

  t.test('a camera that is no more is OFF, offline and then gone', async (t) => {
    const broker = await startBroker(t, kind);
    const house = await listenTo(broker);
    const board = createBoard(t, broker);
    board.show(event());
    board.publisher.start();
    await house.until('online', () => house.last.get(`${ROOT}/state`) === 'online');
    board.publisher.setCameras([{ name: 'back', labels: ['person'] }]);
    await house.until('gone', () => !house.last.has(`${ROOT}/front/status`));
    await house.until('back', () => house.last.get(`${ROOT}/back/person`) === 'OFF');
    await house.until('all gone', () =>
      [...house.last.keys()].every((topic) => !/\/front\/(?!events)/.test(topic)),
    );
    const person = house.heard.filter((message) => message.topic === `${ROOT}/front/person`);
    t.same(
      person.map((message) => message.text),
      ['ON', 'OFF', ''],
    );
    await board.close();
    await house.close();
  });

  t.test('a second client with the same id is named in the log', async (t) => {
    const broker = await startBroker(t, kind);
    const board = createBoard(t, broker);
    board.publisher.start();
    await eventually('connected', () => board.connection.connected());
    const rival = await listenTo(broker, '#', { clientId: 'mobilenetd-porch' });
    await eventually('named', () =>
      board.log.lines.some((line) => /same client id/.test(line.message)),
    );
    await rival.close();
    await board.close();
  });
}

/** A board in a process of its own, with a label that the next process knows nothing of. */
function boardProgram(broker: TestBroker, file: string): string {
  return `
    import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
    import { createPublisher } from '#mobilenetd/mqtt/publish/publisher.js';
    import { createTopics } from '#mobilenetd/mqtt/topics.js';
    import { openStore } from '#mobilenetd/store/store.js';
    const store = openStore({ file: ${JSON.stringify(file)}, commitInterval: 1,
      detectionInterval: 1, retention: { days: 30, maxBytes: 1e9 },
      outbox: { maxAge: 3600, maxRows: 1000 } });
    const topics = createTopics({ base: 'mobilenetd', node: 'porch' });
    const connection = createConnection({ url: '${broker.url}', clientId: 'mobilenetd-porch',
      will: { topic: topics.state, payload: 'offline' }, ...${JSON.stringify(broker.client)} });
    const publisher = createPublisher({ connection, topics, outbox: store.outbox, version: '1',
      maxEventAge: 3600 });
    publisher.setCameras([{ name: 'front', labels: [] }]);
    const events = [{ id: 'killed', type: 'new', camera: 'front', label: 'zebra', score: 0.9,
      start: ${START}, end: null, model: 'm', alpha: 1, size: 300, count: 1, box: null }];
    store.recordEvents(events, publisher.eventMessages(events));
    publisher.applyEvents(events);
    publisher.start();
    setInterval(() => {}, 1000);`;
}
