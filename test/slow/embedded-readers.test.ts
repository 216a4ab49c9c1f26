import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import mqttPacket from 'mqtt-packet';
import t from 'tap';
import {
  attack,
  type Broker,
  checkMemory,
  checkService,
  checkServiceDuring,
  MB,
  pour,
  publish,
  raw,
  start,
} from './attacked-broker.js';
import { soak } from './soak.js';

t.setTimeout(300_000);

/** Clients that have asked for everything and never read a byte of it. */
async function deafTo(broker: Broker, count: number, qos: 0 | 1 | 2): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = await raw(broker.port, `deaf${i}`);
    socket.pause();
    const subscriptions = [{ topic: '#', qos }];
    socket.write(mqttPacket.generate({ cmd: 'subscribe', messageId: 1, subscriptions }));
    sockets.push(socket);
  }
  return sockets;
}

for (const { what, bytes, count, qos, told } of [
  { what: 'large messages', bytes: MB - 200, count: soak(100, 300), qos: 0, told: true },
  // The kernel may hold all of them.
  { what: 'small messages', bytes: 100, count: 30_000, qos: 0, told: false },
  { what: 'messages of QoS 1', bytes: 10_000, count: soak(2000, 6000), qos: 1, told: true },
] as const) {
  t.test(`clients that do not read, and ${what} for them`, async (t) => {
    const broker = await start(t);
    const deaf = await deafTo(broker, 40, qos);
    const payload = Buffer.alloc(bytes, 120);
    const going = attack(broker, 'p', 2, function* () {
      for (let i = 0; i < count; i++) {
        const messageId = 1 + (i % 60_000);
        yield mqttPacket.generate({
          ...{ cmd: 'publish', topic: 'x', payload, qos, retain: false, dup: false, messageId },
        });
      }
    });
    await checkServiceDuring(t, broker, going);
    checkMemory(t, broker);
    if (told) t.match(broker.log(), /does not read what it hears/);
    for (const socket of deaf) socket.destroy();
    await broker.end();
  });
}

t.test('who reads slowly hears everything that is retained, in order', async (t) => {
  const broker = await start(t);
  const writer = await connectAsync(broker.url);
  const payload = Buffer.alloc(100_000, 120);
  for (let i = 0; i < 200; i++) {
    await writer.publishAsync(`kept/${i}`, payload, { qos: 1, retain: true });
  }
  await writer.endAsync();
  const socket = await raw(broker.port, 'slow');
  const parser = mqttPacket.parser();
  const heard: string[] = [];
  parser.on('packet', (packet) => {
    if (packet.cmd === 'publish') heard.push(packet.topic);
  });
  socket.on('data', (chunk) => {
    parser.parse(chunk);
    socket.pause();
    setTimeout(() => socket.resume(), 5);
  });
  const subscriptions = [{ topic: 'kept/#', qos: 0 as const }];
  socket.write(mqttPacket.generate({ cmd: 'subscribe', messageId: 1, subscriptions }));
  while (heard.length < 200) {
    await checkService(t, broker);
    await delay(100);
  }
  t.same(
    heard,
    Array.from({ length: 200 }, (_, i) => `kept/${i}`),
  );
  checkMemory(t, broker);
  socket.destroy();
  await broker.end();
});

t.test('lists of filters that are too long', async (t) => {
  const broker = await start(t);
  const filters = Array.from({ length: 60_000 }, (_, i) => `f/${i}`);
  const subscriptions = filters.map((topic) => ({ topic, qos: 0 as const }));
  const going = attack(broker, 'f', 20, function* () {
    yield mqttPacket.generate({ cmd: 'subscribe', messageId: 1, subscriptions });
    yield mqttPacket.generate({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: filters });
  });
  await checkServiceDuring(t, broker, going);
  checkMemory(t, broker);
  t.match(broker.log(), /a packet that is too large/);
  const client = await connectAsync(broker.url);
  const fits = filters.slice(0, 500);
  const granted = await client.subscribeAsync(fits);
  t.ok(
    granted.every(({ qos }) => qos === 0),
    'five hundred are looked at',
  );
  await client.endAsync();
  await broker.end();
});

t.test('one id that is taken over again and again, with all that it had', async (t) => {
  const broker = await start(t);
  const payload = Buffer.alloc(20_000, 120);
  const take = async () => {
    for (let i = 0; i < 1000; i++) {
      // One that is turned away at once is as good.
      const socket = await raw(broker.port, 'same').catch(() => null);
      if (socket === null) continue;
      const subscriptions = [{ topic: 't/#', qos: 1 as const }];
      socket.write(mqttPacket.generate({ cmd: 'subscribe', messageId: 1, subscriptions }));
      socket.write(
        mqttPacket.generate({
          ...{ cmd: 'publish', topic: 'q', payload, qos: 2, retain: false, dup: false },
          messageId: 1,
        }),
      );
    }
  };
  await checkServiceDuring(t, broker, take());
  checkMemory(t, broker);
  await broker.end();
});

t.test(
  'wills of hundreds that are gone at once, and retained topics that come and go',
  async (t) => {
    const broker = await start(t);
    const will = { payload: Buffer.alloc(60_000, 120), qos: 1, retain: true };
    const going = (async () => {
      for (let round = 0; round < 8; round++) {
        const sockets: Socket[] = [];
        for (let i = 0; i < 60; i++) {
          sockets.push(await raw(broker.port, `w${i}`, { topic: `w/${round}/${i}`, ...will }));
        }
        for (const socket of sockets) socket.destroy();
      }
      await attack(broker, 'c', 10, function* (client) {
        for (let i = 0; i < 5000; i++) {
          yield publish(`c/${client}/${i}`, true);
          yield mqttPacket.generate({
            ...{ cmd: 'publish', topic: `c/${client}/${i}`, payload: '', qos: 0, retain: true },
            dup: false,
          });
        }
      });
    })();
    await checkServiceDuring(t, broker, going);
    checkMemory(t, broker);
    await broker.end();
  },
);

t.test('a CONNECT of a byte a second, TLS, and who says goodbye without leaving', async (t) => {
  const broker = await start(t);
  const connect = mqttPacket.generate({ cmd: 'connect', clientId: 'slow', clean: true } as never);
  const sockets: Socket[] = [];
  const closed: Promise<void>[] = [];
  for (let i = 0; i < 90; i++) {
    const first = i % 3 === 0 ? [] : [connect.subarray(0, 1)];
    const socket = await raw(broker.port, '', undefined, first).catch(() => null);
    if (socket === null) continue;
    closed.push(new Promise((resolve) => void socket.once('close', () => resolve())));
    sockets.push(socket);
    // A ClientHello; half a connection; and one that goes on a byte a second.
    if (i % 3 === 0) socket.write(Buffer.from('16030100c8010000c40303', 'hex'));
    if (i % 3 === 1) socket.end();
  }
  const dripping = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write(connect.subarray(1, 2));
  }, 1000);
  await checkService(t, broker);
  await Promise.all(closed);
  t.pass('none of them is left');
  clearInterval(dripping);
  await checkService(t, broker);
  checkMemory(t, broker);
  await broker.end();
});

t.test('pieces of everything from fifty clients at once', async (t) => {
  const broker = await start(t);
  const payload = Buffer.alloc(MB - 200, 120);
  const sockets = await Promise.all(
    Array.from({ length: 50 }, (_, i) => raw(broker.port, `q${i}`)),
  );
  const going = Promise.all(
    sockets.map((socket, client) =>
      pour(
        socket,
        (function* () {
          for (let messageId = 1; messageId <= 20; messageId++) {
            const dup = messageId % 2 === 0;
            const retain = client % 2 === 0;
            yield mqttPacket.generate({
              ...{ cmd: 'publish', topic: `q/${client}`, payload, qos: 2, retain, dup, messageId },
            });
            if (messageId % 3 > 0) continue;
            yield mqttPacket.generate({ cmd: 'pubrel', messageId: messageId - 1 } as never);
          }
        })(),
      ),
    ),
  );
  await checkServiceDuring(t, broker, going);
  checkMemory(t, broker);
  for (const socket of sockets) socket.destroy();
  await broker.end();
});
