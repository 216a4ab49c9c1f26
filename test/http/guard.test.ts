import t from 'tap';
import { PASSWORD, servePage, USERS } from './page-server.js';

const POST = { 'Content-Type': 'application/json' };

t.test('without users only names of this machine are answered', async (t) => {
  const page = await servePage(t);
  for (const host of ['localhost', 'localhost:8080', '127.0.0.1:1', '[::1]:8080', '127.9.9.9']) {
    t.equal((await page.ask('/api/v1/state', { headers: { Host: host } })).status, 200, host);
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.0.2.7',
  ]) {
    const answer = await page.ask('/api/v1/state', { headers: { Host: host } });
    t.equal(answer.status, 403, host);
    t.notMatch(answer.text, /porch/);
  }
});

t.test('another site cannot post', async (t) => {
  const page = await servePage(t);
  const own = `http://127.0.0.1:${page.port}`;
  const host = { Host: `127.0.0.1:${page.port}` };
  const body = { on: false };
  const allowed: readonly Record<string, string>[] = [
    {},
    { Origin: own },
    { Origin: own, 'Sec-Fetch-Site': 'same-origin' },
  ];
  for (const headers of allowed) {
    t.equal(
      (await page.post('/api/v1/cameras/front/detect', body, { ...host, ...headers })).status,
      200,
    );
  }
  const refused: readonly Record<string, string>[] = [
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: `http://127.0.0.1:${page.port + 1}` },
    { Origin: own, 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ];
  for (const headers of refused) {
    const answer = await page.post('/api/v1/cameras/front/detect', body, { ...host, ...headers });
    t.equal(answer.status, 403, JSON.stringify(headers));
  }
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ]) {
    const headers = { ...host, 'Content-Type': type };
    t.equal((await page.post('/api/v1/cameras/front/detect', body, headers)).status, 400, type);
  }
  t.equal(page.source.done.length, allowed.length);
});

t.test('with users nothing is seen without a login', async (t) => {
  const page = await servePage(t, { users: USERS });
  for (const path of [
    'state',
    'cameras',
    'events',
    'logs',
    'stream',
    'config',
    'cameras/front/frame.jpg',
  ]) {
    t.equal((await page.ask(`/api/v1/${path}`)).status, 401, path);
  }
  t.equal((await page.ask('/healthz')).status, 200);
  t.equal((await page.ask('/')).status, 200, 'the page itself, which asks for the login');
  const wrong = await page.post('/api/v1/login', { user: 'anna', password: 'wrong' });
  const nobody = await page.post('/api/v1/login', { user: 'nobody', password: 'wrong' });
  t.equal(wrong.status, 401);
  t.equal(nobody.text, wrong.text, 'a name that is not there sounds the same');
  const right = await page.post('/api/v1/login', { user: 'anna', password: PASSWORD });
  t.equal(right.status, 200);
  const cookie = String(right.headers['set-cookie']);
  t.match(cookie, /^mobilenetd=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/);
  const headers = { Cookie: cookie.split(';')[0] ?? '' };
  t.equal((await page.ask('/api/v1/config', { headers })).status, 200);
  t.match(JSON.parse((await page.ask('/api/v1/session', { headers })).text), {
    user: 'anna',
    role: 'admin',
  });
  await page.post('/api/v1/logout', {}, headers);
  t.equal((await page.ask('/api/v1/config', { headers })).status, 401, 'a session that was ended');
});

t.test('who may see may not set', async (t) => {
  const page = await servePage(t, { users: USERS });
  const { headers } = await page.post('/api/v1/login', { user: 'bert', password: 'battery' });
  const cookie = { Cookie: String(headers['set-cookie']).split(';')[0] ?? '' };
  t.equal((await page.ask('/api/v1/state', { headers: cookie })).status, 200);
  for (const path of ['config', 'logs']) {
    t.equal((await page.ask(`/api/v1/${path}`, { headers: cookie })).status, 403, path);
  }
  const set = await page.post('/api/v1/cameras/front/detect', { on: true }, cookie);
  t.equal(set.status, 403);
  t.same(page.source.done, []);
});

t.test('after five failures an address waits, with the right password too', async (t) => {
  const page = await servePage(t, { users: USERS });
  for (let attempt = 0; attempt < 5; attempt += 1) {
    t.equal((await page.post('/api/v1/login', { user: 'anna', password: 'no' })).status, 401);
  }
  const answer = await page.post('/api/v1/login', { user: 'anna', password: PASSWORD });
  t.equal(answer.status, 429);
  t.ok(Number(answer.headers['retry-after']) > 0);
});

t.test('attempts at the same time count as well', async (t) => {
  const page = await servePage(t, { users: USERS });
  const attempts = await Promise.all(
    Array.from({ length: 12 }, () => page.post('/api/v1/login', { user: 'anna', password: 'no' })),
  );
  t.equal(attempts.filter(({ status }) => status === 401).length, 5);
  t.equal(attempts.filter(({ status }) => status === 429).length, 7);
});

t.test('tokens: the right one in a header, and in nothing else', async (t) => {
  const { createHash } = await import('node:crypto');
  const sha256 = createHash('sha256').update('secret-token').digest('hex');
  const page = await servePage(t, { users: USERS, tokens: { grafana: { sha256, role: 'view' } } });
  const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });
  t.equal((await page.ask('/api/v1/state', bearer('secret-token'))).status, 200);
  t.equal((await page.ask('/api/v1/state', bearer('other'))).status, 401);
  t.equal((await page.ask('/api/v1/state?token=secret-token')).status, 401);
  t.equal((await page.ask('/api/v1/logs', bearer('secret-token'))).status, 403);
});

t.test('headers of a proxy are believed from a trusted one alone', async (t) => {
  const forged = {
    Host: '127.0.0.1',
    'X-Forwarded-Prefix': '/mobilenetd/',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-For': '198.51.100.9',
  };
  const alone = await servePage(t, { users: USERS });
  const direct = await alone.post('/api/v1/login', { user: 'anna', password: PASSWORD }, forged);
  t.match(String(direct.headers['set-cookie']), /Path=\/;/);
  t.notMatch(String(direct.headers['set-cookie']), /Secure/);
  const behind = await servePage(t, { users: USERS, trustedProxies: ['127.0.0.0/8'] });
  const proxied = await behind.post('/api/v1/login', { user: 'anna', password: PASSWORD }, forged);
  t.match(String(proxied.headers['set-cookie']), /Path=\/mobilenetd\/;.*Secure/);
});

t.test('ingress needs no login of its own and may show the page in a frame', async (t) => {
  const page = await servePage(t, { host: '127.0.0.1', trustedProxies: ['127.0.0.1'] });
  const headers = { Host: 'homeassistant.local:8123', 'X-Ingress-Path': '/api/hassio_ingress/abc' };
  const answer = await page.ask('/api/v1/state', { headers });
  t.equal(answer.status, 200);
  t.match(answer.headers['content-security-policy'], /frame-ancestors 'self'/);
  const plain = await page.ask('/', { headers: { Host: 'localhost' } });
  t.match(plain.headers['content-security-policy'], /frame-ancestors 'none'/);
});

t.test('every answer carries what keeps browsers in check', async (t) => {
  const page = await servePage(t);
  for (const path of ['/', '/api/v1/state', '/nothing', '/api/v1/events?limit=0']) {
    t.match(
      (await page.ask(path)).headers,
      {
        'content-security-policy': /^default-src 'none'; script-src 'self'/,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      },
      path,
    );
  }
  const script = await page.ask('/main-ABCDEFGH.js', { headers: { 'Accept-Encoding': 'gzip' } });
  t.match(script.headers, { 'content-encoding': 'gzip', 'cache-control': /immutable/ });
});

t.test('the page lives under a base path', async (t) => {
  const page = await servePage(t, { basePath: '/cam/' });
  t.equal((await page.ask('/cam/')).status, 200);
  t.equal((await page.ask('/cam/api/v1/state')).status, 200);
  t.equal((await page.ask('/api/v1/state')).status, 404);
  t.match(await page.ask('/cam'), { status: 302, headers: { location: 'cam/' } });
  t.equal((await page.post('/cam/api/v1/governor/pin', { variant: 'auto' }, POST)).status, 200);
});
