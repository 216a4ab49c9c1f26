import { statSync, writeFileSync } from 'node:fs';
import { connect as dial, type Socket } from 'node:net';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import mqttPacket from 'mqtt-packet';
import t from 'tap';
import { listenTo } from '../mqtt/brokers.js';
import {
  attack,
  checkMemory,
  checkService,
  checkServiceDuring,
  MB,
  pour,
  publish,
  raw,
  start,
  subscribe,
} from './attacked-broker.js';

t.test('QoS 2 messages that are never released', async (t) => {
  const broker = await start(t);
  const payload = Buffer.alloc(MB - 200, 120);
  const attackers = await Promise.all(
    Array.from({ length: 12 }, (_, i) => raw(broker.port, `q${i}`)),
  );
  const attack = Promise.all(
    attackers.map((socket) =>
      pour(
        socket,
        (function* () {
          for (let messageId = 1; messageId <= 100; messageId++) {
            yield mqttPacket.generate({
              ...{ cmd: 'publish', topic: 'x', payload, qos: 2, retain: false, dup: false },
              messageId,
            });
          }
        })(),
      ),
    ),
  );
  await checkServiceDuring(t, broker, attack);
  checkMemory(t, broker);
  t.match(broker.log(), /QoS 2 messages without PUBREL/);
  await broker.end();
});

t.test('subscriptions without end', async (t) => {
  const broker = await start(t);
  const attackers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => raw(broker.port, `s${i}`)),
  );
  const attack = Promise.all(
    attackers.map((socket, client) =>
      pour(
        socket,
        (function* () {
          for (let messageId = 1; messageId <= 20_000; messageId++) {
            const topic = `subscription/${client}/${messageId}/+/#`;
            yield mqttPacket.generate({
              cmd: 'subscribe',
              messageId,
              subscriptions: [{ topic, qos: 0 }],
            });
          }
        })(),
      ),
    ),
  );
  await checkServiceDuring(t, broker, attack);
  checkMemory(t, broker);
  t.match(broker.log(), /a client that does not stop to subscribe is disconnected/);
  await broker.end();
});

t.test('the smallest packets, without end', async (t) => {
  const broker = await start(t);
  const pings = Buffer.concat(Array(30_000).fill(mqttPacket.generate({ cmd: 'pingreq' })));
  const going = attack(broker, 'p', 20, function* () {
    for (let i = 0; i < 30; i++) yield pings;
  });
  await checkServiceDuring(t, broker, going);
  checkMemory(t, broker);
  await broker.end();
});

t.test('looks through ten thousand retained messages, hundreds at a time', async (t) => {
  const broker = await start(t);
  await attack(broker, 'k', 1, function* () {
    for (let i = 0; i < 10_000; i++) yield publish(`kept/${i}/state`, true);
  });
  const going = attack(broker, 'l', 20, function* (client) {
    for (let id = 1; id <= 500; id++) yield subscribe(id, `kept/+/none/${client}/${id}`);
  });
  await checkServiceDuring(t, broker, going);
  checkMemory(t, broker);
  await broker.end();
});

t.test('subscriptions that all match, and messages for them', async (t) => {
  const broker = await start(t);
  const going = attack(broker, 'm', 20, function* (client) {
    for (let id = 1; id <= 400; id++) yield subscribe(id, `m/${'+/'.repeat(id % 8)}#`);
    for (let i = 0; i < 2000; i++) yield publish(`m/a/b/c/d/e/f/g/h/${client}`);
  });
  await checkServiceDuring(t, broker, going);
  checkMemory(t, broker);
  await broker.end();
});

t.test('subscriptions that are given back without having been there', async (t) => {
  const broker = await start(t);
  const going = attack(broker, 'u', 10, function* (client) {
    for (let id = 1; id <= 20_000; id++) {
      yield subscribe(id, `u/${client}/${id}`);
      const unsubscriptions = [`never/${id}`];
      yield mqttPacket.generate({ cmd: 'unsubscribe', messageId: id, unsubscriptions });
    }
  });
  await checkServiceDuring(t, broker, going);
  checkMemory(t, broker);
  t.match(broker.log(), /a subscription is refused/);
  await broker.end();
});

t.test('who asks for the same again and again is not refused', async (t) => {
  const broker = await start(t);
  const client = await connectAsync(broker.url, { clientId: 'again' });
  for (let i = 0; i < 2000; i++) {
    const [granted] = await client.subscribeAsync('the/same', { qos: i % 2 === 0 ? 0 : 1 });
    if (granted?.qos === 128) t.fail(`refused at ${i}`);
  }
  await client.endAsync();
  await broker.end();
});

t.test('retained topics with long names, and very many', async (t) => {
  const file = join(t.testdir(), 'retained.json');
  const broker = await start(t, file);
  for (const length of [60_000, 900]) {
    for (let client = 0; client < 20; client++) {
      const socket = await raw(broker.port, `r${length}-${client}`);
      const name = 'n'.repeat(length);
      await pour(
        socket,
        (function* () {
          for (let i = 0; i < 3000; i++) {
            const topic = `${client}-${i}-${name}`;
            const payload = Buffer.alloc(2000, 120);
            yield mqttPacket.generate({
              ...{ cmd: 'publish', topic, payload, qos: 0, retain: true, dup: false },
            });
          }
        })(),
      );
      socket.destroy();
    }
  }
  await checkService(t, broker);
  checkMemory(t, broker);
  const own = await connectAsync(broker.url);
  await own.publishAsync('mobilenetd/porch/state', 'online', { qos: 1, retain: true });
  const later = await listenTo(broker.url, 'mobilenetd/porch/#');
  await later.until('our own topic has room', () => later.last.has('mobilenetd/porch/state'));
  await later.close();
  await own.endAsync();
  await broker.end();
  t.ok(statSync(file).size <= 17 * MB, `a file of ${statSync(file).size} bytes`);

  // A file of an earlier version may be of any size.
  const line = JSON.stringify(['old', 1, Buffer.alloc(20_000, 120).toString('base64')]);
  writeFileSync(file, `${line}\n`.repeat(15_000));
  const again = await start(t, file);
  await checkService(t, again);
  checkMemory(t, again);
  await again.end();
});

t.test('connections that say nothing, wills and ids that are too large', async (t) => {
  const broker = await start(t);
  const idle: Socket[] = [];
  for (let i = 0; i < 300; i++) {
    const socket = dial(broker.port, '127.0.0.1');
    socket.on('error', () => {});
    idle.push(socket);
  }
  await checkService(t, broker);
  // Its length has two bytes.
  const will = { topic: 'w', payload: Buffer.alloc(0xffff, 120), qos: 0, retain: true };
  // As many as leave room for one more: a hundred that are in are the bound.
  for (let i = 0; i < 45; i++) idle.push(await raw(broker.port, `w${i}`, will));
  for (let i = 0; i < 45; i++) idle.push(await raw(broker.port, `${i}${'i'.repeat(60_000)}`));
  await checkService(t, broker);
  checkMemory(t, broker);
  t.match(broker.log(), /say nothing gave way/);
  for (const socket of idle) socket.destroy();
  await broker.end();
});

t.test('the daemon comes in when clients have taken all the room', async (t) => {
  const broker = await start(t);
  const clients: MqttClient[] = [];
  for (let i = 0; i < 100; i++) {
    clients.push(await connectAsync(broker.url, { clientId: `c${i}` }));
  }
  await t.rejects(connectAsync(broker.url, { reconnectPeriod: 0 }), { code: 3 });
  const daemon = await connectAsync(broker.url, { clientId: 'mobilenetd-porch' });
  await daemon.endAsync();
  await Promise.all(clients.map((client) => client.endAsync(true)));
  await broker.end();
});
