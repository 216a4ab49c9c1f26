import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import mqtt from 'mqtt';
import t from 'tap';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/broker/embedded.js';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import {
  MAIN,
  preparePictures,
  runDaemon,
  subscriber,
  writeConfig,
} from '../integration/daemon-process.js';
import { installRandomModel } from '../integration/demo-process.js';
import { lastingFolder } from '../lasting-folder.js';
import { hasOpenssl, makeCertificates } from '../mqtt/certificates.js';

function cli(args: readonly string[], options: { input?: string; folder: string }) {
  return spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    input: options.input ?? '',
    env: { PATH: process.env.PATH, HOME: options.folder, MOBILENETD_STATE: options.folder },
  });
}

t.test('a broker for the house: users of the configuration get in, nobody else', async (t) => {
  const folder = lastingFolder(t);
  await installRandomModel(folder);
  const pictures = await preparePictures(folder);
  const password = 'cörrect "horse" $x';
  const hashed = cli(['config', 'hash-password'], { input: `${password}\n`, folder });
  t.equal(hashed.status, 0, hashed.stderr);
  const hash = hashed.stdout.trim();
  t.match(hash, /^scrypt\$/);
  t.equal(cli(['config', 'hash-password'], { folder }).status, 64, 'no password at all');

  const port = await freePort();
  const embedded = { listen: `0.0.0.0:${port}`, users: { house: hash } };
  const file = writeConfig(folder, { cameras: ['front'], pictures, mqtt: { embedded } });
  const daemon = runDaemon(folder, file);
  const url = `mqtt://127.0.0.1:${port}`;
  await eventually(() => /connected to the MQTT broker/.test(daemon.log()));
  const once = { reconnectPeriod: 0 };
  await t.rejects(mqtt.connectAsync(url, once), { code: 4 }, 'without a name');
  await t.rejects(mqtt.connectAsync(url, { ...once, username: 'house', password: hash }), {
    code: 4,
  });
  const house = await subscriber(url, { username: 'house', password });
  t.ok(await house.until('state', 'online'), daemon.log());
  t.notMatch(house.values.get('mobilenetd/board/info'), hash.slice(-20), 'info has no hash');
  await house.client.publishAsync('house/light', 'on', { qos: 1, retain: true });
  await house.end();
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
  t.match(readFileSync(join(folder, 'retained.json'), 'utf8'), 'house/light');

  const second = runDaemon(folder, file);
  await eventually(() => /connected to the MQTT broker/.test(second.log()));
  const again = await subscriber(url, { username: 'house', password });
  await again.client.subscribeAsync('house/#');
  t.ok(await eventually(() => again.values.get('house/light') === 'on'), 'kept over the restart');
  await again.end();
  t.equal((await second.end('SIGTERM')).code, 0, second.log());
});

t.test('open to the network without users only when that is asked for', async (t) => {
  const folder = lastingFolder(t);
  const pictures = folder;
  const embedded = { listen: '0.0.0.0:0' };
  const file = writeConfig(folder, { cameras: ['front'], pictures, mqtt: { embedded } });
  const refused = cli(['config', '--check', '--config', file], { folder });
  t.equal(refused.status, 78);
  t.match(refused.stderr, /mqtt\.embedded\.listen.*mqtt\.embedded\.users/);
  const open = { listen: '0.0.0.0:0', allow_anonymous: true };
  writeConfig(folder, { cameras: ['front'], pictures, mqtt: { embedded: open } });
  t.equal(cli(['config', '--check', '--config', file], { folder }).stdout, 'ok\n');
});

t.test('anonymous clients beside users, when both are allowed', async (t) => {
  const folder = lastingFolder(t);
  const { stdout } = cli(['config', 'hash-password'], { input: 'pw', folder });
  const users = { house: stdout.trim() };
  const broker = await startEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    users,
    allowAnonymous: true,
  });
  t.teardown(() => broker.close());
  const once = { reconnectPeriod: 0 };
  await (await mqtt.connectAsync(broker.url, once)).endAsync();
  await (await mqtt.connectAsync(broker.url, { username: 'house', password: 'pw' })).endAsync();
  const wrong = { ...once, username: 'house', password: 'no' };
  await t.rejects(mqtt.connectAsync(broker.url, wrong), { code: 4 });
});

t.test('a port that is taken ends the start with what to do', async (t) => {
  const folder = lastingFolder(t);
  await installRandomModel(folder);
  const pictures = await preparePictures(folder);
  const other = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  t.teardown(() => other.close());
  const embedded = { listen: `127.0.0.1:${other.port}` };
  const file = writeConfig(folder, { cameras: ['front'], pictures, mqtt: { embedded } });
  const { status, stderr } = cli(['run', '--config', file], { folder });
  t.equal(status, 69);
  t.match(stderr, /MND_MQTT_LISTEN.*mqtt\.url to mqtt:\/\/127\.0\.0\.1/);
});

t.test('keys that say how to connect reach the broker', async (t) => {
  const folder = lastingFolder(t);
  await installRandomModel(folder);
  const pictures = await preparePictures(folder);
  writeFileSync(join(folder, 'user'), 'board\n');
  writeFileSync(join(folder, 'password'), 'pw\n');
  const { stdout } = cli(['config', 'hash-password'], { input: 'pw', folder });
  const broker = await startEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    users: { board: stdout.trim() },
  });
  t.teardown(() => broker.close());
  const section = {
    url: broker.url,
    protocol: '3.1.1',
    client_id: 'my-board',
    keepalive: 7,
    username_file: join(folder, 'user'),
    password_file: join(folder, 'password'),
  };
  const file = writeConfig(folder, { cameras: ['front'], pictures, mqtt: section });
  const house = await subscriber(broker.url, { username: 'board', password: 'pw' });
  const daemon = runDaemon(folder, file);
  t.ok(await house.until('state', 'online'), daemon.log());
  const rival = await mqtt.connectAsync(broker.url, {
    clientId: 'my-board',
    username: 'board',
    password: 'pw',
  });
  t.ok(
    await eventually(() => /same client id/.test(daemon.log())),
    'the configured client id is the one in use: a rival is noticed',
  );
  await rival.endAsync();
  await house.end();
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

t.test(
  'keys of TLS reach the handshake',
  { skip: hasOpenssl ? false : 'openssl is not installed' },
  async (t) => {
    const folder = lastingFolder(t);
    await installRandomModel(folder);
    const pictures = await preparePictures(folder);
    const { folder: certificates, read } = makeCertificates('DNS:broker.internal');
    const seen: Record<string, unknown>[] = [];
    const options = {
      key: read('server.key'),
      cert: read('server.crt'),
      ca: read('ca.crt'),
      requestCert: true,
      ALPNProtocols: ['other', 'mqtt'],
    };
    const server = createServer(options, (socket) => {
      seen.push({
        alpn: socket.alpnProtocol,
        version: socket.getProtocol(),
        client: socket.getPeerCertificate().subject?.CN,
        authorized: socket.authorized,
      });
      socket.on('error', () => {}).destroy();
    }).listen(0, '127.0.0.1');
    t.teardown(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const file = writeConfig(folder, {
      cameras: ['front'],
      pictures,
      mqtt: {
        url: `mqtts://127.0.0.1:${port}`,
        tls: {
          ca_file: join(certificates, 'ca.crt'),
          cert_file: join(certificates, 'client.crt'),
          key_file: join(certificates, 'client.key'),
          server_name: 'broker.internal',
          min_version: 'TLSv1.3',
          alpn: ['mqtt'],
        },
      },
    });
    const daemon = runDaemon(folder, file);
    t.ok(await eventually(() => seen.length > 0), daemon.log());
    t.same(seen[0], { alpn: 'mqtt', version: 'TLSv1.3', client: 'client', authorized: true });
    t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
  },
);
