import t from 'tap';
import { decoded, parseAddress, splitAddress } from '#mobilenetd/address.js';

t.test('hosts, with the interface of a link-local address', async (t) => {
  for (const [text, hostname, protocol, port] of [
    ['mqtt://broker:1883', 'broker', 'mqtt:', '1883'],
    ['mqtt://[::1]:1883', '::1', 'mqtt:', '1883'],
    ['mqtt://[fe80::1%eth0]:1883', 'fe80::1%eth0', 'mqtt:', '1883'],
    ['mqtt://[fe80::1%25eth0]', 'fe80::1%eth0', 'mqtt:', ''],
    ['rtsp://u:p%40@[FE80::a:b%wlan0.1]:554/s?x=1', 'fe80::a:b%wlan0.1', 'rtsp:', '554'],
  ] as const) {
    const address = parseAddress(text);
    t.match(address, { hostname, url: { protocol, port } }, text);
  }
  for (const text of [
    '',
    'broker',
    'mqtt://[2001:db8::1%eth0]',
    'mqtt://[fe80::1%]',
    'mqtt://a b',
  ]) {
    t.equal(parseAddress(text), null, text);
  }
});

t.test('pieces of any text that has a scheme', async (t) => {
  t.same(splitAddress('rtsp://u:p@host:1/a?b#c'), {
    scheme: 'rtsp://',
    authority: 'u:p@host:1',
    rest: '/a?b#c',
  });
  t.equal(splitAddress('host/path'), null);
  t.equal(decoded('100%'), '100%');
  t.equal(decoded('a%20b'), 'a b');
});
