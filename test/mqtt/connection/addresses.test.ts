import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { BrokerAddresses } from '#mobilenetd/mqtt/connection/addresses.js';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { freePort } from '../../free-port.js';
import { eventually, listenTo, mosquitto } from '../brokers.js';
import { type PickyBroker, startPickyBroker } from '../picky-broker.js';

function createLog() {
  const lines: string[] = [];
  const write = (_fields: object, message: string) => void lines.push(message);
  return { lines, debug() {}, info: write, warn: write, error: write };
}

const record = (name: string, port: number, priority = 0, weight = 0) => ({
  ...{ name, port, priority, weight },
});

t.test('SRV records become addresses, by priority and weight, with the login', async (t) => {
  const asked: string[] = [];
  const addresses = new BrokerAddresses({
    url: ['mqtts+srv://me:secret@example.org', 'mqtt://last.example:1883'],
    random: () => 0.5,
    async resolveSrv(name) {
      asked.push(name);
      return [
        record('c.example.org', 3, 20),
        record('b.example.org', 2, 10, 1),
        record('a.example.org', 1, 10, 9),
      ];
    },
  });
  t.equal(addresses.timeoutMs, 4000, 'one that is silent costs less than five seconds');
  const order: string[] = [];
  for (let i = 0; i < 4; i++) {
    const address = await addresses.current();
    order.push(`${address.url} ${address.username}`);
    t.equal(addresses.advance(), i === 3, 'the round ends with the last');
  }
  t.same(order, [
    'mqtts://a.example.org:1 me',
    'mqtts://b.example.org:2 me',
    'mqtts://c.example.org:3 me',
    'mqtt://last.example:1883 null',
  ]);
  await addresses.current();
  t.same(asked, Array(2).fill('_secure-mqtt._tcp.example.org'), 'looked up again each round');
});

for (const version of [4, 5] as const) {
  t.test(`the next broker takes over, and is kept, MQTT ${version}`, async (t) => {
    const brokers: PickyBroker[] = [];
    for (let i = 0; i < 3; i++) brokers.push(await startPickyBroker({ version }));
    t.teardown(() => Promise.allSettled(brokers.map((broker) => broker.close())));
    const log = createLog();
    const connection = createConnection({
      ...{ url: brokers.map(({ url }) => url), clientId: 'x', protocol: version, log },
      resolveSrv: async () => [],
    });
    t.teardown(() => connection.close());
    connection.start();
    await eventually('the first', () => connection.broker() === brokers[0]?.url);
    await eventually('connected', () => connection.connected());
    for (const [gone, next] of [
      [0, 1],
      [1, 2],
    ] as const) {
      await brokers[gone]?.close();
      await eventually('the loss', () => !connection.connected());
      await eventually('the next', () => connection.connected());
      t.equal(connection.broker(), brokers[next]?.url);
      await connection.publish('a', `on ${next}`, { qos: 1, retain: false });
      t.equal(brokers[next]?.last('a'), `on ${next}`);
    }
    t.equal(brokers[2]?.connects, 1, 'the one that works is kept');
    t.ok(log.lines.some((line) => line.includes(brokers[0]?.url ?? '?')));
  });
}

t.test('addresses that are dead in every way are passed over', async (t) => {
  const mute = createServer(() => {}).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.teardown(() => mute.close());
  const at = mute.address();
  const silent = typeof at === 'object' && at !== null ? at.port : 0;
  const broker = await startPickyBroker({ version: 5 });
  t.teardown(() => broker.close());
  const begun = performance.now();
  const connection = createConnection({
    url: [
      `mqtt://127.0.0.1:${await freePort()}`,
      `mqtt://127.0.0.1:${silent}`,
      'mqtt+srv://no-such.invalid',
      broker.url,
    ],
    clientId: 'x',
    async resolveSrv() {
      throw Object.assign(new Error('querySrv ENOTFOUND'), { code: 'ENOTFOUND' });
    },
  });
  t.teardown(() => connection.close());
  connection.start();
  await eventually('the last', () => connection.connected());
  t.equal(connection.broker(), broker.url);
  t.comment(`after ${(performance.now() - begun).toFixed(0)} ms`);
});

const skip = mosquitto.available ? false : 'Mosquitto is not installed';
t.test(
  'two Mosquittos: one is killed, comes back, and the other is killed',
  { skip },
  async (t) => {
    const [one, two] = [await mosquitto.make(), await mosquitto.make()];
    await one.start();
    await two.start();
    const connection = createConnection({ url: [one.url, two.url], clientId: 'x' });
    t.teardown(() => connection.close());
    connection.start();
    await eventually('the first', () => connection.connected());
    await one.stop();
    await eventually('the second', () => connection.connected() && connection.broker() === two.url);
    await one.start();
    await two.stop();
    await eventually(
      'the first again',
      () => connection.connected() && connection.broker() === one.url,
    );
    const house = await listenTo(one);
    await connection.publish('a', 'x', { qos: 1, retain: true });
    await house.until('heard', () => house.last.get('a') === 'x');
    await house.close();
    await connection.close();
    await one.stop();
  },
);
