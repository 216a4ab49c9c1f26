import { once } from 'node:events';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import t from 'tap';
import { createConnection } from '#mobilenetd/mqtt/connection/connection.js';
import { type ProbeOptions, probeBroker } from '#mobilenetd/mqtt/connection/probe.js';
import { PATIENCE_MS } from '../../eventually.js';
import { freePort } from '../../free-port.js';
import { aedes, eventually, mosquitto } from '../brokers.js';
import { hasOpenssl } from '../certificates.js';

const user = { name: 'porch', password: 'hunter2' };

function probe(options: Partial<ProbeOptions> & { readonly url: string }) {
  return probeBroker({
    clientId: 'mobilenetd-doctor-1',
    subscribe: 'mobilenetd/board/request/#',
    timeout: PATIENCE_MS,
    ...options,
  });
}

t.test('addresses at which there is no broker', async (t) => {
  t.match(await probe({ url: 'mqtt://no-such-host.invalid' }), { ok: false, fault: 'name' });
  const port = await freePort();
  t.match(await probe({ url: `mqtt://127.0.0.1:${port}` }), { ok: false, fault: 'refused' });
  const mute = createServer().listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.teardown(() => mute.close());
  const address = mute.address();
  const at = typeof address === 'object' ? address?.port : 0;
  const silent = await probe({ url: `mqtt://127.0.0.1:${at}`, timeout: 300 });
  t.match(silent, { ok: false, fault: 'silent', found: 'no answer within 0.3 s' });
});

for (const kind of [mosquitto, aedes]) {
  t.test(`${kind.name}: credentials`, { skip: !kind.available && 'not installed' }, async (t) => {
    const broker = await kind.make({ user });
    await broker.start();
    t.teardown(() => broker.stop());
    t.match(await probe({ url: broker.url, username: 'porch', password: 'hunter2' }), { ok: true });
    for (const login of [
      {},
      { username: 'porch', password: 'wrong' },
      { username: 'x', password: 'y' },
    ]) {
      t.match(await probe({ url: broker.url, ...login }), { ok: false, fault: 'credentials' });
    }
  });
}

t.test('TLS', { skip: !(mosquitto.available && hasOpenssl) && 'not installed' }, async (t) => {
  const broker = await mosquitto.make({ transport: 'tls' });
  await broker.start();
  t.teardown(() => broker.stop());
  t.match(await probe({ url: broker.url, ...broker.client }), { ok: true });
  t.match(
    await probe({ url: broker.url }),
    { ok: false, fault: 'tls' },
    'a certificate of nobody we know',
  );
  const plain = `mqtts://127.0.0.1:${broker.port}`;
  t.match(
    await probe({ url: plain, ...broker.client }),
    { ok: false, fault: /tls|other/ },
    'no TLS there',
  );
});

t.test('a subscription that is refused', async (t) => {
  const port = await freePort();
  const broker = await Aedes.createBroker({
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, subscription.topic.startsWith('other/') ? subscription : null),
  });
  const server = createServer(broker.handle).listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    broker.close();
    server.close();
  });
  const url = `mqtt://127.0.0.1:${port}`;
  t.match(await probe({ url, subscribe: 'other/#' }), { ok: true });
  t.match(await probe({ url }), {
    ok: false,
    fault: 'subscription',
    found: /mobilenetd\/board\/request/,
  });
});

t.test(
  'the running daemon is not thrown out',
  { skip: !mosquitto.available && 'not installed' },
  async (t) => {
    const broker = await mosquitto.make();
    await broker.start();
    t.teardown(() => broker.stop());
    const daemon = createConnection({ url: broker.url, clientId: 'mobilenetd-board' });
    t.teardown(() => daemon.close());
    let lost = 0;
    daemon.onDisconnect(() => {
      lost += 1;
    });
    daemon.start();
    await eventually('a connection', () => daemon.connected());
    t.match(await probe({ url: broker.url }), { ok: true });
    t.equal(lost, 0);
  },
);
