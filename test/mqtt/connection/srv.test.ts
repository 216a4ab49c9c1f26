import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { BrokerAddresses } from '#mobilenetd/mqtt/connection/addresses.js';
import {
  type ConnectionOptions,
  createConnection,
  type SrvRecord,
} from '#mobilenetd/mqtt/connection/connection.js';
import { probeBroker } from '#mobilenetd/mqtt/connection/probe.js';
import { createSrvResolver } from '#mobilenetd/mqtt/connection/srv.js';
import { freePort } from '../../free-port.js';
import { eventually, mosquitto, runMosquitto } from '../brokers.js';
import { hasOpenssl, makeCertificates } from '../certificates.js';
import { type NameServer, startNameServer } from '../name-server.js';
import { type PickyBroker, startPickyBroker } from '../picky-broker.js';

const NAME = '_mqtt._tcp.example.test';

async function nameServer(t: Test): Promise<NameServer> {
  const server = await startNameServer();
  t.teardown(() => server.close());
  return server;
}

async function broker(t: Test, version: 4 | 5): Promise<PickyBroker> {
  const started = await startPickyBroker({ version });
  t.teardown(() => started.close().catch(() => {}));
  return started;
}

function portOf({ url }: { readonly url: string }): number {
  return Number(new URL(url).port);
}

const at = (port: number, priority = 0, weight = 0, name = 'localhost'): SrvRecord => ({
  ...{ name, port, priority, weight },
});

function connect(t: Test, server: NameServer, more: Partial<ConnectionOptions> = {}) {
  const lines: string[] = [];
  const write = (_fields: object, message: string) => void lines.push(message);
  const connection = createConnection({
    url: 'mqtt+srv://example.test',
    clientId: 'x',
    log: { debug() {}, info: write, warn: write, error: write },
    resolveSrv: createSrvResolver([server.address]),
    ...more,
  });
  t.teardown(() => connection.close());
  connection.start();
  return { connection, lines };
}

t.test('weights decide how often one of the same priority comes first', async (t) => {
  const server = await nameServer(t);
  server.records = new Map([[NAME, [at(1, 5, 30), at(2, 5, 10), at(3, 1), at(4, 9), at(5, 5, 0)]]]);
  const addresses = new BrokerAddresses({
    url: 'mqtt+srv://example.test',
    resolveSrv: createSrvResolver([server.address]),
  });
  const firsts = new Map<string, number>();
  for (let round = 0; round < 200; round++) {
    const order: number[] = [];
    do order.push(portOf(await addresses.current()));
    while (!addresses.advance());
    t.equal(order[0], 3, 'the lowest priority first');
    t.equal(order[4], 4, 'and the highest last');
    t.same([...order].sort(), [1, 2, 3, 4, 5]);
    const [, second] = order;
    firsts.set(`${second}`, (firsts.get(`${second}`) ?? 0) + 1);
  }
  const [heavy = 0, light = 0, none = 0] = ['1', '2', '5'].map((key) => firsts.get(key) ?? 0);
  // 150 and 50 are to be expected; a run beyond these would be one of a million.
  t.ok(heavy > 110 && light > 15 && none < 10, `${heavy}, ${light}, ${none}`);
});

for (const version of [4, 5] as const) {
  t.test(`brokers of SRV records, and records that change, MQTT ${version}`, async (t) => {
    const server = await nameServer(t);
    const [first, second, third] = [
      await broker(t, version),
      await broker(t, version),
      await broker(t, version),
    ];
    server.records = new Map([[NAME, [at(portOf(second), 20), at(portOf(first), 10)]]]);
    const { connection } = connect(t, server, { protocol: version });
    const reaches = async (place: PickyBroker) => {
      const here = `mqtt://localhost:${portOf(place)}`;
      await eventually(here, () => connection.connected() && connection.broker() === here);
    };
    await reaches(first);
    await first.close();
    await reaches(second);
    // The records are gone while it is connected: nothing happens until they are needed.
    server.records = new Map();
    await connection.publish('a', 'still here', { qos: 1, retain: false });
    // And others have come.
    server.records = new Map([[NAME, [at(portOf(third))]]]);
    await second.close();
    await reaches(third);
  });
}

t.test('a name server that is away leaves the brokers it named last', async (t) => {
  const server = await nameServer(t);
  const place = await broker(t, 5);
  for (const state of ['silent', 'failing'] as const) {
    server.records = new Map([[NAME, [at(portOf(place))]]]);
    const { connection } = connect(t, server);
    await eventually('connected', () => connection.connected());
    server.records = new Map([[NAME, state]]);
    const before = server.asked.length;
    place.drop();
    await eventually('lost', () => !connection.connected());
    await eventually(`connected while it is ${state}`, () => connection.connected());
    t.ok(server.asked.length > before, 'it was asked again');
    await connection.close();
  }
});

t.test('records that are not there are named, and looked for until they are', async (t) => {
  const server = await nameServer(t);
  const place = await broker(t, 5);
  // The root as a target: there is decidedly no such service.
  for (const records of [undefined, [], [at(0, 0, 0, '')]]) {
    server.records = new Map(records && [[NAME, records]]);
    const { connection, lines } = connect(t, server);
    await eventually('said', () => lines.length > 0);
    t.match(lines[0], /there are no SRV records _mqtt\._tcp\.example\.test/);
    server.records = new Map([[NAME, [at(portOf(place))]]]);
    await eventually('connected', () => connection.connected());
    await connection.close();
  }
  server.records = new Map();
  const found = await probeBroker({
    url: 'mqtt+srv://example.test',
    clientId: 'y',
    subscribe: 'a',
    resolveSrv: createSrvResolver([server.address]),
  });
  t.match(found, { ok: false, fault: 'name', found: /no SRV records/ });
});

const skip = mosquitto.available && hasOpenssl ? false : 'Mosquitto or OpenSSL is not installed';

t.test('whose certificate is right is not for the name server to say', { skip }, async (t) => {
  const server = await nameServer(t);
  const name = '_secure-mqtt._tcp.';
  for (const [certificate, domain, right] of [
    // The broker is below the domain that was asked for: its own name.
    ['DNS:localhost', 'localhost', true],
    // It is elsewhere: it must have the name that was asked for.
    ['DNS:example.test', 'example.test', true],
    ['DNS:localhost', 'example.test', false],
  ] as const) {
    const { folder } = makeCertificates(certificate);
    const conf = [
      ...['allow_anonymous true', `listener ${await freePort()}`],
      ...[`certfile ${folder}/server.crt`, `keyfile ${folder}/server.key`],
    ].join('\n');
    const started = await runMosquitto(`${conf}\n`, folder);
    t.teardown(() => started.stop());
    server.records = new Map([[name + domain, [at(started.port)]]]);
    const tls = { ca: readFileSync(`${folder}/ca.crt`) };
    const url = `mqtts+srv://${domain}`;
    const { connection, lines } = connect(t, server, { url, tls });
    if (right) await eventually(`${certificate}`, () => connection.connected());
    else {
      await eventually('refused', () => lines.length > 0);
      t.match(lines[0], /example\.test/);
      t.notOk(connection.connected());
      const named = connect(t, server, { url, tls: { ...tls, serverName: 'localhost' } });
      await eventually('mqtt.tls.server_name', () => named.connection.connected());
    }
    await connection.close();
  }
});
