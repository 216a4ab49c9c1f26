import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import t from 'tap';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/broker/embedded.js';
import { hashPassword, PASSWORD_HASH, verifyPassword } from '#mobilenetd/mqtt/broker/password.js';
import { freePort } from '../../free-port.js';
import { eventually, listenTo } from '../brokers.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

t.test('any free port, and an address clients can use', async (t) => {
  const broker = await startEmbeddedBroker(LOOPBACK);
  t.match(broker.url, /^mqtt:\/\/127\.0\.0\.1:\d+$/);
  const house = await listenTo(broker.url);
  t.equal(broker.clients(), 1);
  await house.close();
  await broker.close();
  await t.rejects(connectAsync(broker.url, { reconnectPeriod: 0 }));
});

t.test('a port that is taken says what to do', async (t) => {
  const broker = await startEmbeddedBroker(LOOPBACK);
  await t.rejects(startEmbeddedBroker({ host: '127.0.0.1', port: broker.port }), {
    code: 'MND_MQTT_LISTEN',
    exitCode: 69,
    message: /another program.*mqtt\.url to mqtt:\/\/127\.0\.0\.1:\d+ .*mqtt\.embedded\.listen/,
  });
  await broker.close();
  await t.rejects(
    startEmbeddedBroker({ host: 'no.such.host.invalid', port: 1, allowAnonymous: true }),
    {
      code: 'MND_MQTT_LISTEN',
    },
  );
});

t.test('open to the network only with users, or when asked for', async (t) => {
  for (const host of ['0.0.0.0', '::', '192.168.1.2', 'porch.local']) {
    await t.rejects(startEmbeddedBroker({ host, port: 0 }), {
      code: 'MND_MQTT_LISTEN',
      message: /users/,
    });
  }
  const open = await startEmbeddedBroker({ host: '0.0.0.0', port: 0, allowAnonymous: true });
  t.match(open.url, /127\.0\.0\.1/);
  await open.close();
});

t.test('users and their passwords', async (t) => {
  const users = { porch: await hashPassword('correct horse') };
  const broker = await startEmbeddedBroker({ ...LOOPBACK, users });
  const attempts = [
    {},
    { username: 'porch', password: 'wrong' },
    { username: 'porch' },
    { username: 'nobody', password: 'correct horse' },
    { username: '__proto__', password: 'correct horse' },
    { username: 'porch', password: users.porch },
  ];
  for (const attempt of attempts) {
    const options = { reconnectPeriod: 0, ...attempt };
    await t.rejects(connectAsync(broker.url, options), { code: 4 }, JSON.stringify(attempt));
  }
  const good = await connectAsync(broker.url, { username: 'porch', password: 'correct horse' });
  await good.endAsync();
  await broker.close();
});

t.test('password hashes', async (t) => {
  const hash = await hashPassword('ünï "quoted" $');
  t.match(hash, PASSWORD_HASH);
  t.notMatch('plain', PASSWORD_HASH);
  t.notMatch(hash, /quoted/);
  t.not(hash, await hashPassword('ünï "quoted" $'), 'salted');
  t.equal(await verifyPassword(Buffer.from('ünï "quoted" $'), hash), true);
  t.equal(await verifyPassword(Buffer.from('other'), hash), false);
  const parts = `${'A'.repeat(24)}$${'A'.repeat(44)}`;
  const damaged = ['scrypt$3$8$1$AAAA$AAAA', `scrypt$3$8$1$${parts}`, `scrypt$16384$0$1$${parts}`];
  for (const bad of [null, '', 'plain', ...damaged]) {
    t.equal(await verifyPassword(Buffer.from('x'), bad), false);
  }
});

t.test('retained messages outlive a restart, but for the ephemeral and the large', async (t) => {
  const file = join(t.testdir(), 'retained.json');
  const options = { ...LOOPBACK, file, ephemeral: (topic: string) => topic.startsWith('own/') };
  const first = await startEmbeddedBroker(options);
  const client = await connectAsync(first.url);
  const retain = { retain: true, qos: 1 } as const;
  await client.publishAsync('kept/text', 'ünï\n"x"', retain);
  await client.publishAsync('kept/binary', Buffer.from([0, 255, 10]), retain);
  await client.publishAsync('kept/gone', 'x', retain);
  await client.publishAsync('kept/gone', '', retain);
  await client.publishAsync('kept/large', 'x'.repeat(100_000), retain);
  await client.publishAsync('own/state', 'online', retain);
  await client.publishAsync('passing', 'x', { qos: 1 });
  await client.endAsync();
  await first.close();
  t.equal(statSync(file).mode & 0o077, 0, 'for our eyes only');

  const second = await startEmbeddedBroker(options);
  const house = await listenTo(second.url);
  await house.until('both', () => house.last.size >= 2);
  t.same([...house.last.keys()].sort(), ['kept/binary', 'kept/text']);
  t.equal(house.last.get('kept/text'), 'ünï\n"x"');
  await house.close();
  await second.close();
});

t.test('a damaged file of retained messages is no reason not to start', async (t) => {
  const file = join(t.testdir(), 'retained.json');
  const good = JSON.stringify(['good', 1, Buffer.from('x').toString('base64')]);
  writeFileSync(file, `{"no\n[1,2]\n["a/#",1,"eA=="]\nnull\n${good}\n[`);
  const broker = await startEmbeddedBroker({ ...LOOPBACK, file });
  const house = await listenTo(broker.url);
  await house.until('good', () => house.last.has('good'));
  t.equal(house.last.size, 1);
  await house.close();
  await broker.close();
  t.match(readFileSync(file, 'utf8'), /good/);
});

t.test('clients, packets and retained topics are bounded', async (t) => {
  const broker = await startEmbeddedBroker({
    ...LOOPBACK,
    maxClients: 2,
    maxPacket: 1000,
    maxRetained: 3,
  });
  const options = { reconnectPeriod: 0 };
  const [one, two] = [
    await connectAsync(broker.url, options),
    await connectAsync(broker.url, options),
  ];
  await t.rejects(connectAsync(broker.url, options), { code: 3 }, 'a third client');
  for (let i = 0; i < 6; i++) await one.publishAsync(`r/${i}`, 'x', { retain: true, qos: 1 });
  await one.publishAsync('r/0', 'y', { retain: true, qos: 1 });
  const kept: string[] = [];
  two.on('message', (topic, payload) => kept.push(`${topic}=${payload}`));
  await two.subscribeAsync('r/+', { qos: 1 });
  await eventually('retained', () => kept.length >= 3);
  t.same(kept.sort(), ['r/0=y', 'r/1=x', 'r/2=x']);
  const closed = new Promise<void>((resolve) => one.once('close', () => resolve()));
  one.publish('big', Buffer.alloc(2000), { qos: 0 });
  await closed;
  await eventually('one is gone', () => broker.clients() === 1);
  await two.endAsync();
  await broker.close();
});

t.test('retained topics and payloads are bounded in bytes', async (t) => {
  const broker = await startEmbeddedBroker({ ...LOOPBACK, maxRetainedBytes: 1002 });
  const house = await listenTo(broker.url);
  const retain = (topic: string, bytes: number) =>
    house.client.publishAsync(topic, Buffer.alloc(bytes, 120), { retain: true, qos: 1 });
  await retain('a', 600);
  await retain('b', 500);
  await retain('a', 100);
  await retain('c', 800);
  await retain('c', 0);
  await retain('d', 900);
  await house.until('all are delivered', () => house.heard.length >= 6);
  const later = await listenTo(broker.url);
  await later.until('what was kept', () => later.last.size >= 2);
  t.same([...later.last.keys()].sort(), ['a', 'd']);
  await later.close();
  await house.close();
  await broker.close();
});

t.test('no session outlives its connection', async (t) => {
  const broker = await startEmbeddedBroker(LOOPBACK);
  const stay = { clientId: 'stay', clean: false, reconnectPeriod: 0 };
  const first = await connectAsync(broker.url, stay);
  await first.subscribeAsync('a', { qos: 1 });
  await first.endAsync();
  const other = await connectAsync(broker.url);
  await other.publishAsync('a', 'queued for nobody', { qos: 1 });
  const again = await connectAsync(broker.url, stay);
  let heard = 0;
  again.on('message', () => heard++);
  await again.subscribeAsync('b', { qos: 1 });
  await other.publishAsync('b', 'x', { qos: 1 });
  await eventually('b', () => heard > 0);
  t.equal(heard, 1);
  await Promise.all([again.endAsync(), other.endAsync()]);
  await broker.close();
});

t.test('garbage, half packets and silence do not hurt it', async (t) => {
  const port = await freePort();
  const broker = await startEmbeddedBroker({ host: '127.0.0.1', port });
  const garbage = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.alloc(3000, 0xff),
    Buffer.from([0x10, 0x00]),
    Buffer.from([0x30, 0x05, 0x00, 0x01, 0x61]),
    Buffer.from('10100004' + '4d515454' + '04020000' + '0004' + '00000000', 'hex'),
    Buffer.from([0xf0]),
    Buffer.alloc(0),
  ];
  for (const bytes of garbage) {
    const socket = connectSocket(port, '127.0.0.1');
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.end(bytes);
    await new Promise((resolve) => {
      socket.once('close', resolve);
      socket.resume();
    });
  }
  const deep = await connectAsync(broker.url, { reconnectPeriod: 0 });
  const closed = new Promise<void>((resolve) => deep.once('close', () => resolve()));
  deep.publish('a/'.repeat(200), 'x');
  await closed;
  const house = await listenTo(broker.url);
  await house.client.publishAsync('alive', 'x', { qos: 1 });
  await house.until('alive', () => house.last.has('alive'));
  t.equal(broker.clients(), 1);
  await house.close();
  await broker.close();
});
