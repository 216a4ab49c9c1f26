import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import mqtt from 'mqtt';
import t from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import {
  addressOf,
  clientOptions,
  shownAddress,
} from '#mobilenetd/mqtt/connection/client-options.js';

const LOGIN = { username: null, password: null };
const ATTEMPT = {
  protocol: 5 as const,
  will: { qos: 1 as const, retain: true },
  timeoutMs: 60_000,
};

t.test('an interface in the address is kept apart from what a URL can hold', async (t) => {
  for (const [text, url, host, shown] of [
    [
      'mqtt://u:p@[fe80::1%eth0]:1884',
      'mqtt://[fe80::1]:1884',
      'fe80::1%eth0',
      'mqtt://[fe80::1%eth0]:1884',
    ],
    ['mqtts://[fe80::1%25wlan0]', 'mqtts://[fe80::1]', 'fe80::1%wlan0', 'mqtts://[fe80::1%wlan0]'],
    [
      'mqtt://[2001:db8::1]:1883',
      'mqtt://[2001:db8::1]:1883',
      undefined,
      'mqtt://[2001:db8::1]:1883',
    ],
  ] as const) {
    const address = addressOf(text, LOGIN);
    t.match(address, { url, redacted: shown });
    t.equal(address.host, host);
    t.equal(shownAddress(text), shown);
    const options = clientOptions({ clientId: 'a' }, { ...ATTEMPT, address });
    t.equal(options.host, host);
  }
});

t.test('the configuration takes it where it works, and says so where not', async (t) => {
  const load = (yaml: string) =>
    loadConfig({ files: ['/c'], env: {}, boardModel: null, readFile: () => Buffer.from(yaml) });
  const { config } = load(`cameras: { a: { source: rtsp, url: "rtsp://[fe80::1%eth0]/s" } }
mqtt: { url: "mqtt://me@[fe80::1%eth0]:1883" }`);
  t.match(config.mqtt, { url: 'mqtt://[fe80::1%eth0]:1883', username: 'me' });
  for (const url of ['http://[fe80::1%eth0]/s', 'https://[FE80::1%25wlan0.1]:444/s']) {
    const { cameras } = load(`cameras: { a: { source: mjpeg, url: "${url}" } }`).config;
    t.equal(cameras.a?.url, url);
  }
  for (const [url, message] of [
    ['ws://[fe80::1%eth0]/', /without an interface \(%eth0\), which ws:\/\/ does not take/],
    ['wss://[fe80::1%eth0]/', /which wss:\/\/ does not take/],
    ['mqtt://fe80::1%eth0', /an IPv6 address stands in brackets/],
    ['mqtt://[2001:db8::1%eth0]', /only a link-local address/],
    ['mqtt://h:99999', /a port is a number up to 65535/],
    ['mqtt://me:Sesam12', /"@" and a host are missing/],
  ] as const) {
    t.throws(() => load(`mqtt: { url: "${url}" }`), message, url);
    t.throws(() => load(`mqtt: { url: "${url}" }`), /^(?!.*Sesam12)/s, 'and no secret');
  }
});

const [local] = Object.entries(networkInterfaces()).flatMap(([name, places = []]) =>
  places
    .filter(({ family, address }) => family === 'IPv6' && address.startsWith('fe80:'))
    .map(({ address }) => `${address}%${name}`),
);

t.test(
  'a broker on a link-local address is reached',
  { skip: local === undefined && 'this machine has no link-local address' },
  async (t) => {
    const server = createServer().listen(0, '::');
    await once(server, 'listening');
    const place = server.address();
    const port = typeof place === 'object' && place !== null ? place.port : 0;
    const address = addressOf(`mqtt://[${local}]:${port}`, LOGIN);
    const client = mqtt.connect(
      address.url,
      clientOptions({ clientId: 'a' }, { ...ATTEMPT, address }),
    );
    client.on('error', () => {});
    const [socket] = await once(server, 'connection');
    const [bytes] = await once(socket, 'data');
    t.equal(bytes[0], 0x10, 'CONNECT');
    socket.destroy();
    await client.endAsync(true);
    server.close();
  },
);
