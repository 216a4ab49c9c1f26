import { connect } from 'node:net';
import t from 'tap';
import { hostNameOf, networkOf } from '#mobilenetd/http/guard.js';
import { hashPassword } from '#mobilenetd/mqtt/broker/password.js';
import { PASSWORD, servePage, USERS } from './page-server.js';

/** Sends bytes as they are and resolves with what comes back before the other side ends. */
function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let got = '';
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(got));
    socket.end(text);
  });
}

t.test('a Host is a name of this machine, or it is refused', async (t) => {
  const page = await servePage(t);
  const good = ['LOCALHOST', '127.0.0.1', '[::1]', '[::1]:8080', '127.1.2.3:65535'];
  const bad = [
    'localhost.',
    '127.0.0.1.',
    '127.1',
    '0x7f000001',
    '2130706433',
    '[::ffff:127.0.0.1]',
    '[::]',
    '0.0.0.0',
    'localhost:8080@evil.example',
    'evil.example#localhost',
    'localhost:port',
    'localhost:123456',
    'xn--lcalhost-54a',
    '',
  ];
  for (const host of good) {
    t.equal((await page.ask('/api/v1/state', { headers: { Host: host } })).status, 200, host);
  }
  for (const host of bad) {
    const answer = await sendRaw(
      page.port,
      `GET /api/v1/state HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    t.match(answer, /^HTTP\/1\.1 (400|403) /, host || 'none');
    t.notMatch(answer, /porch/, host);
  }
  const two = `GET /api/v1/state HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  t.match(await sendRaw(page.port, two), /^HTTP\/1\.1 40[03] /, 'two Hosts');
  const whole = `GET http://evil.example/api/v1/state HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
  t.match(await sendRaw(page.port, whole), /^HTTP\/1\.1 403 /, 'a whole address');
});

t.test('status.hosts names what the page answers to, behind a proxy too', async (t) => {
  const options = { trustedProxies: ['127.0.0.1'], hosts: ['Porch.local'] };
  const page = await servePage(t, options);
  const of = async (headers: Record<string, string>) =>
    (await page.ask('/api/v1/state', { headers })).status;
  t.equal(await of({ Host: 'porch.local:8080' }), 200);
  t.equal(await of({ Host: 'localhost' }), 200);
  t.equal(await of({ Host: 'evil.example' }), 403, 'a name that points here (DNS rebinding)');
  t.equal(await of({ Host: 'localhost', 'X-Forwarded-Host': 'evil.example' }), 403);
  t.equal(hostNameOf('Porch.Local:80'), 'porch.local');
});

t.test('another site neither reads nor keeps the board busy', async (t) => {
  const page = await servePage(t);
  const from = async (path: string, site: string, dest = 'empty') => {
    const headers = { 'Sec-Fetch-Site': site, 'Sec-Fetch-Dest': dest };
    return (await page.ask(path, { headers })).status;
  };
  for (const path of ['/api/v1/state', '/api/v1/stream', '/api/v1/events.csv', '/metrics']) {
    for (const site of ['cross-site', 'same-site']) {
      for (const dest of ['empty', 'image', 'iframe', 'script']) {
        t.equal(await from(path, site, dest), 403, `${path} ${site} ${dest}`);
      }
    }
  }
  t.equal(await from('/api/v1/state', 'same-origin'), 200);
  t.equal(await from('/api/v1/state', 'none', 'document'), 200, 'typed by a person');
  t.equal(await from('/', 'cross-site', 'document'), 200, 'a link on another page');
  t.equal(page.source.coded(), 0);
});

t.test('no header of a proxy takes long to read or reaches a header of the answer', async (t) => {
  const page = await servePage(t, { users: USERS, trustedProxies: ['127.0.0.1'] });
  const prefixes = [
    `/${'a'.repeat(250)}!`,
    `/${'a/'.repeat(120)}!`,
    '/a; Domain=evil.example',
    '/a\tb',
    '//evil.example/',
    '/%0d%0aSet-Cookie:x=y/',
    `/${'a'.repeat(8000)}`,
  ];
  for (const prefix of prefixes) {
    for (const name of ['X-Forwarded-Prefix', 'X-Ingress-Path']) {
      const answer = await page.post(
        '/api/v1/login',
        { user: 'anna', password: PASSWORD },
        { Host: 'localhost', [name]: prefix },
      );
      t.match(String(answer.headers['set-cookie']), /; Path=\/; HttpOnly/, prefix.slice(0, 40));
    }
  }
});

t.test(
  'a login is counted by network, and takes as long for a name that is not there',
  async (t) => {
    t.equal(networkOf('2001:db8:1:2:3:4:5:6'), networkOf('2001:0db8:0001:0002::9'));
    t.not(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'));
    t.equal(networkOf('::1'), '0:0:0:0');
    t.equal(networkOf('::ffff:192.0.2.7'), '192.0.2.7');
    const hashed: string[] = [];
    const cheap = (await hashPassword(PASSWORD)).replace('$16384$', '$1024$');
    const page = await servePage(
      t,
      { users: { anna: { password: cheap, role: 'admin' } }, trustedProxies: ['127.0.0.1'] },
      async (_password, hash) => {
        hashed.push(hash);
        return false;
      },
    );
    const tryOne = (user: string, address: string) =>
      page.post(
        '/api/v1/login',
        { user, password: 'x' },
        { Host: 'localhost', 'X-Forwarded-For': address },
      );
    for (const user of ['anna', 'nobody', '__proto__', 'constructor', '']) {
      t.equal((await tryOne(user, '198.51.100.7')).status, 401, user);
    }
    t.same(hashed, new Array(5).fill(cheap), 'each one is compared with a hash of the same cost');
    t.equal((await tryOne('anna', '198.51.100.7')).status, 429);
    for (let last = 1; last <= 5; last += 1) await tryOne('anna', `2001:db8::${last}`);
    t.equal(
      (await tryOne('anna', '2001:db8::ffff:1')).status,
      429,
      'the next address of the network',
    );
    t.equal((await tryOne('anna', '2001:db8:0:1::1')).status, 401, 'another network');
  },
);

t.test('who has logged out sees nothing more', async (t) => {
  const page = await servePage(t, { users: USERS });
  const { headers } = await page.post('/api/v1/login', { user: 'bert', password: 'battery' });
  const cookie = String(headers['set-cookie']).split(';')[0] ?? '';
  const open = page.ask('/api/v1/stream', { headers: { Cookie: cookie } });
  open.catch(() => {});
  await page.post('/api/v1/logout', {}, { Cookie: cookie });
  const end = await open.then(
    () => 'ended',
    () => 'cut',
  );
  t.ok(['ended', 'cut'].includes(end), 'the stream ends by itself');
});

t.test('a head alone takes no place of a viewer', async (t) => {
  const page = await servePage(t);
  for (let index = 0; index < 40; index += 1) {
    t.equal((await page.ask('/api/v1/stream', { method: 'HEAD' })).status, 200);
  }
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    t.equal((await page.ask('/api/v1/cameras/front/detect', { method })).status, 404, method);
  }
  t.same(page.source.done, []);
});

t.test('odd paths, queries and bodies are answered and do nothing', async (t) => {
  const page = await servePage(t);
  for (const path of [
    '/api/v1/events/..%2f..%2f..%2fetc%2fpasswd/picture.jpg',
    '/api/v1/events/%2e%2e/picture.jpg',
    '/api/v1/events/%00/thumb.jpg',
    '/api/v1/events/%E0%A4%A/crop.jpg',
    '/api/v1/cameras/__proto__/frame.jpg',
    '/api/v1/cameras/constructor/frame.jpg',
    `/api/v1/cameras/${'a'.repeat(8000)}/frame.jpg`,
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..;/index.html',
    '//evil.example/index.html',
    '/index.html/',
  ]) {
    t.equal((await page.ask(path)).status, 404, path.slice(0, 60));
  }
  for (const query of [
    'limit=1e999',
    'limit=99999999999999999999',
    'limit=-0.5',
    'since=+275760-09-13',
    'since=0000-00-00',
    `label=${'a'.repeat(4000)}`,
    'limit[]=5',
  ]) {
    t.equal((await page.ask(`/api/v1/events?${query}`)).status, 400, query.slice(0, 40));
  }
  for (const body of [
    '{"threshold":1e999}',
    '{"threshold":-1e-999999,"__proto__":{"admin":true}}',
    `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
    '{"threshold":"0.5"}',
    '\u0000',
    'null',
  ]) {
    const answer = await page.post('/api/v1/cameras/front/threshold', body);
    t.equal(answer.status, 400, body.slice(0, 40));
  }
  t.same(page.source.done, []);
});
