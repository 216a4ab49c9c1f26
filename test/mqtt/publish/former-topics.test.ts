import t, { type Test } from 'tap';
import { codedError } from '#mobilenetd/errors.js';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { type BoardNames, leaveFormerName } from '#mobilenetd/mqtt/publish/former-topics.js';
import { aedes, type Listener, listenTo, mosquitto, type TestBroker } from '../brokers.js';

const at = (root: string, device: string, prefix = 'homeassistant'): BoardNames => ({
  root,
  discovery: `${prefix}/device/mobilenetd_${device}/config`,
});
t.setTimeout(500_000);

const PORCH = at('mobilenetd/porch', 'porch');
const GATE = at('mobilenetd/gate', 'gate');

/** What a board has said at a broker, and left there. */
async function leave(house: Listener, { root, discovery }: BoardNames, state = 'offline') {
  for (const [topic, text] of [
    [`${root}/state`, state],
    [`${root}/info`, '{}'],
    [`${root}/front/status`, 'offline'],
    [`${root}/front/person/attributes`, '{}'],
    [`${root}/governor/limit/state`, '80'],
    [discovery, '{"components":{}}'],
  ] as const) {
    await house.client.publishAsync(topic, text, { qos: 1, retain: true });
  }
}

const ECHO = 'newcomer/echo';
const LATEST = 'newcomer/latest';

/** What a newcomer finds retained. */
async function retained(broker: TestBroker): Promise<string[]> {
  const house = await listenTo(broker, LATEST);
  // Aedes sends what is retained in the order in which it came, the latest last.
  for (const text of ['', 'latest']) {
    await house.client.publishAsync(LATEST, text, { qos: 1, retain: true });
  }
  await house.close();
  const newcomer = await listenTo(broker);
  // Mosquitto answers a client in order: what is retained comes before what the newcomer says itself.
  await newcomer.client.publishAsync(ECHO, 'here', { qos: 1 });
  await newcomer.until('the end', () => newcomer.last.has(ECHO) && newcomer.last.has(LATEST));
  await newcomer.close();
  const isOther = (topic: string) => ![ECHO, LATEST].includes(topic) && !topic.startsWith('$SYS');
  return [...newcomer.last.keys()].filter(isOther).sort();
}

async function start(t: Test, broker: TestBroker, now: BoardNames, former: BoardNames | null) {
  const remembered: BoardNames[] = [];
  const said: string[] = [];
  const note = (_fields: object, text: string) => void said.push(text);
  const connection = createConnection({ url: broker.url, ...broker.client, clientId: 'board' });
  leaveFormerName({
    connection,
    now,
    recall: () => remembered.at(-1) ?? former,
    remember: (found) => void remembered.push(found),
    log: { debug: note, info: note, warn: note, error: note },
  });
  t.teardown(() => connection.close());
  connection.start();
  // With another former name it comes to something; else nothing happens, for a while.
  const isDue = former !== null && former !== now;
  const deadline = Date.now() + (isDue ? 120_000 : 1000);
  const settled = async () => {
    while (remembered.length === 0 && said.length === 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  };
  return { remembered, said, settled, close: () => connection.close() };
}

for (const kind of [mosquitto, aedes]) {
  const skip = kind.available ? false : `${kind.name} is not installed`;
  t.test(`a former name is taken back: ${kind.name}`, { skip }, async (t) => {
    const broker = await kind.make();
    await broker.start();
    t.teardown(() => broker.stop());
    const house = await listenTo(broker);
    t.teardown(() => house.close());
    await leave(house, PORCH);
    await leave(house, GATE, 'online');
    await house.client.publishAsync('mobilenetd/porch2/state', 'online', { retain: true });
    const { remembered, said, settled } = await start(t, broker, GATE, PORCH);
    await settled();
    t.same(remembered, [GATE], said.join());
    const left = await retained(broker);
    t.equal(left.length, 7, left.join('\n'));
    t.notOk(
      left.some((topic) => /\/porch\/|_porch\//.test(topic)),
      left.join('\n'),
    );
  });
}

/** What is at the broker, who asks, and how many topics of the former name must stay. */
const NOT_FORMER = [
  { what: 'the same', now: PORCH, former: PORCH, leaves: 6 },
  { what: 'nothing is known', now: GATE, former: null, leaves: 6 },
  { what: 'another board has it now', now: GATE, former: PORCH, state: 'online', leaves: 6 },
  {
    what: 'the prefix alone',
    now: at('mobilenetd/porch', 'porch', 'ha'),
    former: PORCH,
    leaves: 5,
  },
  { what: 'a base below', now: at('mobilenetd/porch/x', 'x'), former: PORCH, leaves: 1 },
  { what: 'names of one id', now: at('mobilenetd/Porch', 'porch'), former: PORCH, leaves: 1 },
];

// Each waits for what must not come.
t.test('what is not former stays', { jobs: 2 * NOT_FORMER.length }, async (t) => {
  for (const kind of [mosquitto, aedes]) {
    const skip = kind.available ? false : `${kind.name} is not installed`;
    for (const { what, now, former, state = 'offline', leaves } of NOT_FORMER) {
      void t.test(`${kind.name}: ${what}`, { skip, buffered: true }, async (t) => {
        const broker = await kind.make();
        await broker.start();
        const house = await listenTo(broker);
        await leave(house, PORCH, state);
        await house.client.publishAsync('mobilenetd/porch/x/state', 'offline', {
          qos: 1,
          retain: true,
        });
        const board = await start(t, broker, now, former);
        await board.settled();
        const kept = (await retained(broker)).filter(
          (topic) => topic !== 'mobilenetd/porch/x/state' || what === 'a base below',
        );
        t.equal(kept.length, leaves, kept.join());
        await board.close();
        await house.close();
        await broker.stop();
      });
    }
  }
});

t.test('a broker that refuses is asked again after the next start', async (t) => {
  const said: string[] = [];
  const note = (_fields: object, text: string) => void said.push(text);
  const remembered: BoardNames[] = [];
  leaveFormerName({
    connection: {
      start() {},
      connected: () => true,
      fault: () => null,
      publish: async () => {},
      listen: () => ({ async close() {} }),
      subscribe: async () => {
        throw codedError('MND_MQTT_REFUSED', { found: 'not authorized' });
      },
      broker: () => 'mqtt://x',
      held: () => [],
      limits: () => [],
      onConnect() {},
      onDisconnect() {},
      onRelease() {},
      async close() {},
    },
    now: GATE,
    recall: () => PORCH,
    remember: (found) => void remembered.push(found),
    log: { debug: note, info: note, warn: note, error: note },
  });
  await new Promise((resolve) => setTimeout(resolve, 10));
  t.same(remembered, []);
  t.match(said, [/stays at the broker: .*not authorized/]);
});
