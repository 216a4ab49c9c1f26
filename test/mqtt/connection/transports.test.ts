import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import type { IPublishPacket } from 'mqtt-packet';
import t from 'tap';
import {
  type ConnectionOptions,
  createConnection,
} from '#mobilenetd/mqtt/connection/connection.js';
import { createPublisher } from '#mobilenetd/mqtt/publish/publisher.js';
import { createTopics } from '#mobilenetd/mqtt/topics.js';
import { freePort } from '../../free-port.js';
import { scratchFolder } from '../../scratch-folder.js';
import { eventually, listenTo, mosquitto } from '../brokers.js';
import { hasOpenssl, makeCertificates } from '../certificates.js';

const skip = !mosquitto.available
  ? 'Mosquitto is not installed'
  : !hasOpenssl && 'openssl is not installed';

function createLog() {
  const lines: string[] = [];
  const write = (_fields: object, message: string) => void lines.push(message);
  return { lines, debug: write, info: write, warn: write, error: write };
}

async function attempt(options: Partial<ConnectionOptions> & { url: string }) {
  const log = createLog();
  const connection = createConnection({ clientId: 'mobilenetd-test', log, ...options });
  connection.start();
  await eventually('an outcome', () => log.lines.length > 0);
  const connected = connection.connected();
  if (connected) await connection.publish('a', 'b', { qos: 1, retain: false });
  const fault = connection.fault();
  await connection.close();
  return { connected, fault, line: log.lines[0] ?? '' };
}

t.test('TLS', { skip }, async (t) => {
  const { folder, read } = makeCertificates();
  const [tls, mutual, wss] = [await freePort(), await freePort(), await freePort()];
  const keys = [
    `cafile ${folder}/ca.crt`,
    `certfile ${folder}/server.crt`,
    `keyfile ${folder}/server.key`,
  ];
  const broker = await mosquitto.make({
    conf: [
      ...[`listener ${tls} 127.0.0.1`, ...keys],
      ...[`listener ${mutual} 127.0.0.1`, ...keys, 'require_certificate true'],
      ...[`listener ${wss} 127.0.0.1`, 'protocol websockets', ...keys],
    ],
  });
  await broker.start();
  const url = `mqtts://127.0.0.1:${tls}`;
  const ca = read('ca.crt');

  t.match(await attempt({ url, tls: { ca } }), { connected: true, fault: null });
  t.match(await attempt({ url, tls: { ca: ca.toString() } }), { connected: true }, 'PEM as text');
  t.match(
    await attempt({ url }),
    { connected: false, line: /certificate/i, fault: /authority that is not trusted/ },
    'unknown authority',
  );
  const nobody = `mqtt://127.0.0.1:${await freePort()}`;
  t.match(await attempt({ url: nobody }), { connected: false, fault: /nothing listens/ });
  t.match(await attempt({ url, tls: { ca: read('stranger.crt') } }), { connected: false });
  t.match(await attempt({ url, tls: { verify: false } }), { connected: true });
  const other = `mqtts://localhost:${tls}`;
  t.match(await attempt({ url: other, tls: { ca } }), {
    connected: false,
    line: /localhost|altnames/i,
  });
  const old = createServer({
    key: read('server.key'),
    cert: read('server.crt'),
    maxVersion: 'TLSv1.2',
  }).listen(0, '127.0.0.1');
  old.on('tlsClientError', () => {});
  await once(old, 'listening');
  const address = old.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const strict = { ca, minVersion: 'TLSv1.3' } as const;
  t.match(
    await attempt({ url: `mqtts://127.0.0.1:${port}`, tls: strict }),
    { connected: false, line: /version/i },
    'a peer that only speaks 1.2',
  );
  t.match(await attempt({ url, tls: strict }), { connected: true });
  old.close();

  const both = `mqtts://127.0.0.1:${mutual}`;
  const pair = (name: string) => ({ ca, cert: read(`${name}.crt`), key: read(`${name}.key`) });
  t.match(await attempt({ url: both, tls: pair('client') }), { connected: true });
  t.match(await attempt({ url: both, tls: { ca } }), { connected: false }, 'no certificate');
  t.match(await attempt({ url: both, tls: pair('impostor') }), { connected: false });

  t.match(await attempt({ url: `wss://127.0.0.1:${wss}`, tls: { ca } }), { connected: true });
  t.match(await attempt({ url: `wss://127.0.0.1:${wss}` }), { connected: false });
  await broker.stop();
});

const missing = { skip: mosquitto.available ? false : 'Mosquitto is not installed' };

t.test('WebSockets', missing, async (t) => {
  const port = await freePort();
  const broker = await mosquitto.make({
    conf: [`listener ${port} 127.0.0.1`, 'protocol websockets'],
  });
  await broker.start();
  t.match(await attempt({ url: `ws://127.0.0.1:${port}/mqtt` }), { connected: true });
  t.match(await attempt({ url: `ws://127.0.0.1:${port}/mqtt`, protocol: 5 }), { connected: true });
  await broker.stop();
  t.match(await attempt({ url: `ws://127.0.0.1:${port}/mqtt` }), { connected: false });
});

t.test('MQTT 5 carries expiry, content type and version; 3.1.1 does not', missing, async (t) => {
  const broker = await mosquitto.make();
  await broker.start();
  for (const protocol of [5, 4] as const) {
    const house = await listenTo(broker.url, '#', { protocolVersion: 5 });
    const packets = new Map<string, IPublishPacket>();
    house.client.on('message', (topic, _payload, packet) => void packets.set(topic, packet));
    const connection = createConnection({ url: broker.url, clientId: `v${protocol}`, protocol });
    const topics = createTopics({ base: 'mobilenetd', node: `v${protocol}` });
    let added = (): void => {};
    let rows = [
      {
        id: 1,
        created: Date.now() - 600_000,
        topic: topics.camera('front').events,
        payload: Buffer.from('{}'),
        qos: 1 as const,
        retain: false,
      },
    ];
    const publisher = createPublisher({
      connection,
      topics,
      outbox: {
        next: (_limit, after = 0) => rows.filter(({ id }) => id > after),
        acknowledge: () => {
          rows = [];
        },
        depth: () => rows.length,
        dropped: () => 0,
        onAdded: (listener) => {
          added = listener;
          return () => {};
        },
      },
      version: '1.2.3',
      maxEventAge: 3600,
    });
    publisher.setCameras([{ name: 'front', labels: ['cat'] }]);
    publisher.start();
    await house.until('event', () => packets.has(topics.camera('front').events));
    added();
    const properties = packets.get(topics.camera('front').events)?.properties;
    if (protocol === 5) {
      t.match(properties, {
        contentType: 'application/json',
        userProperties: { version: '1.2.3' },
      });
      const expiry = properties?.messageExpiryInterval ?? 0;
      t.ok(expiry > 2990 && expiry <= 3000, `${expiry} s are left of an hour`);
    } else {
      t.equal(properties?.contentType, undefined);
    }
    await publisher.close();
    await house.close();
  }
  await broker.stop();
});

t.test('an MQTT 5 broker says what it does not take, and who took over', missing, async (t) => {
  const broker = await mosquitto.make({ maxPacket: 30_000, conf: ['max_inflight_messages 3'] });
  await broker.start();
  const log = createLog();
  const connection = createConnection({ url: broker.url, clientId: 'five', protocol: 5, log });
  connection.start();
  await eventually('connected', () => connection.connected());
  const options = { qos: 1, retain: false } as const;
  await t.rejects(connection.publish('big', Buffer.alloc(30_500), options), {
    code: 'MND_MQTT_REFUSED',
    message: /a packet of 30512 bytes where this broker takes 30000/,
  });
  await Promise.all(
    Array.from({ length: 200 }, (_, i) => connection.publish('a', `${i}`, options)),
  );
  t.ok(connection.connected(), 'its Receive Maximum was kept');
  const rival = await listenTo(broker.url, 'x', { clientId: 'five', protocolVersion: 5 });
  await eventually('named', () => log.lines.some((line) => /same client id/.test(line)));
  await connection.close();
  await rival.close();
  await broker.stop();
});

t.test(
  'a broker with access rules: what may not be done is said, the rest works',
  missing,
  async (t) => {
    const folder = scratchFolder('mobilenetd-acl');
    const acl = join(folder, 'acl');
    writeFileSync(acl, 'topic write mobilenetd/porch/#\n', { mode: 0o600 });
    const broker = await mosquitto.make({ conf: [`acl_file ${acl}`] });
    await broker.start();
    for (const protocol of [4, 5] as const) {
      const log = createLog();
      const connection = createConnection({ url: broker.url, clientId: 'acl', protocol, log });
      connection.start();
      await eventually('connected', () => connection.connected());
      await connection.publish('mobilenetd/porch/x', 'y', { qos: 1, retain: true });
      if (protocol === 5) {
        await t.rejects(connection.publish('elsewhere', 'y', { qos: 1, retain: false }), {
          code: 'MND_MQTT_HELD',
        });
      }
      t.ok(connection.connected());
      await connection.close();
    }
    await broker.stop();
  },
);
