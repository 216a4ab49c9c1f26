import { connect } from 'node:net';
import t from 'tap';
import { ROUTES } from '#mobilenetd/http/app.js';
import { PASSWORD, type PageUnderTest, servePage, USERS } from './page-server.js';

/** What only those who may see the page know. */
const SECRET = /"porch"|stop sign|=person/;

/**
 * Sends bytes as they are and resolves with all that comes back before the other side ends: at once when it takes
 * them for a mistake, else when nothing more has come for the time that it keeps a connection.
 */
function sendRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let got = '';
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(got));
    socket.write(bytes, 'latin1');
  });
}

const statusesOf = (answer: string): readonly number[] =>
  [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));

const request = (line: string, ...headers: readonly string[]) =>
  `${[line, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n`;

t.test('one request is one request: no second one is smuggled in its body', async (t) => {
  const page = await servePage(t);
  const body = '{"on":false}';
  const inner = `${request(
    'POST /api/v1/cameras/front/detect HTTP/1.1',
    ...['Content-Type: application/json', `Content-Length: ${body.length}`],
  )}${body}`;
  t.same(statusesOf(await sendRaw(page.port, inner)), [200], 'sent as it should be, it is done');
  t.same(page.source.done.splice(0), ['detect front false']);
  const open = ['Content-Type: application/json'];
  const cases: Readonly<Record<string, string>> = {
    'both lengths': `${request('POST /api/v1/governor/limit HTTP/1.1', ...open, 'Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n${inner}`,
    'two lengths': `${request('POST /api/v1/governor/limit HTTP/1.1', ...open, 'Content-Length: 0', 'Content-Length: 40')}${inner}`,
    'a list of lengths': `${request('POST /api/v1/governor/limit HTTP/1.1', ...open, 'Content-Length: 0, 40')}${inner}`,
    'a length with a sign': `${request('POST /api/v1/governor/limit HTTP/1.1', ...open, 'Content-Length: +4')}null${inner}`,
    'a length that is none': `${request('POST /api/v1/governor/limit HTTP/1.1', ...open, 'Content-Length: 0x4')}null${inner}`,
    'chunked, and once more': `${request('POST /api/v1/governor/limit HTTP/1.1', ...open, 'Transfer-Encoding: chunked, identity')}0\r\n\r\n${inner}`,
    'chunked in disguise': `${request('POST /api/v1/governor/limit HTTP/1.1', ...open, 'Transfer-Encoding: xchunked')}0\r\n\r\n${inner}`,
    'a name with a space': `${request('POST /api/v1/governor/limit HTTP/1.1', ...open, 'Transfer-Encoding : chunked', 'Content-Length: 4')}0\r\n\r\n${inner}`,
    'a folded header': `${request('POST /api/v1/governor/limit HTTP/1.1', ...open, 'X-A: b\r\n Transfer-Encoding: chunked', 'Transfer-Encoding:\r\n chunked')}0\r\n\r\n${inner}`,
    'lines that end with LF alone': `POST /api/v1/governor/limit HTTP/1.1\nHost: localhost\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n0\n\n${inner}`,
    'a chunk of an odd size': `${request('POST /api/v1/governor/limit HTTP/1.1', ...open, 'Transfer-Encoding: chunked')}-1\r\n\r\n0\r\n\r\n${inner}`,
    'a zero in a name': `GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\nX\u0000Y: a\r\n\r\n${inner}`,
  };
  const answers = await Promise.all(
    Object.entries(cases).map(
      async ([what, bytes]) => [what, statusesOf(await sendRaw(page.port, bytes))] as const,
    ),
  );
  for (const [what, statuses] of answers) {
    t.ok(
      statuses.length === 1 && statuses.every((status) => status >= 400),
      `${what}: ${statuses}`,
    );
  }
  t.same(page.source.done, []);
});

t.test(
  'old, whole and foreign forms of a request are answered as any other, or not at all',
  async (t) => {
    const page = await servePage(t, { users: USERS });
    const lines = [
      'GET /api/v1/state HTTP/1.0',
      'GET /api/v1/state HTTP/0.9',
      'GET /api/v1/state',
      'GET /api/v1/state HTTP/2.0',
      'GET http://localhost/api/v1/state HTTP/1.1',
      'GET http://anna:secret@localhost/api/v1/state HTTP/1.1',
      'GET //localhost/api/v1/state HTTP/1.1',
      'GET \\api\\v1\\state HTTP/1.1',
      'GET * HTTP/1.1',
      'OPTIONS * HTTP/1.1',
      'CONNECT localhost:22 HTTP/1.1',
      'TRACE /api/v1/state HTTP/1.1',
      'PRI * HTTP/2.0',
      'BREW /api/v1/state HTTP/1.1',
      'get /api/v1/state HTTP/1.1',
    ];
    for (const line of lines) {
      const answer = await sendRaw(page.port, request(line, 'Connection: close'));
      t.ok(
        statusesOf(answer).every((status) => status >= 400),
        `${line}: ${statusesOf(answer)}`,
      );
      t.notMatch(answer, SECRET, line);
    }
    const upgrade = await sendRaw(
      page.port,
      request(
        'GET /api/v1/stream HTTP/1.1',
        ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ),
    );
    t.notMatch(upgrade, /^HTTP\/1\.1 101/, 'there is no other protocol to change to');
    t.notMatch(upgrade, SECRET);
  },
);

t.test('an address with a user name in it is a mistake, whatever is asked for', async (t) => {
  const page = await servePage(t);
  const body = '{"on":false}';
  const paths = ['/api/v1/cameras/front/detect', '/api/v1/login', '/api/v1/state', '/', '/metrics'];
  for (const who of [
    'http://anna:secret@',
    'http://anna@',
    'http://:@',
    'HTTP://a%40b:c@',
    'https://x@',
  ]) {
    for (const path of paths) {
      const headers = ['Content-Type: application/json', `Content-Length: ${body.length}`];
      const post = request(`POST ${who}localhost${path} HTTP/1.1`, ...headers, 'Connection: close');
      const answer = await sendRaw(page.port, post + body);
      t.same(statusesOf(answer), [400], `POST ${who}localhost${path}`);
      const get = request(`GET ${who}localhost${path} HTTP/1.1`, 'Connection: close');
      t.same(statusesOf(await sendRaw(page.port, get)), [400], `GET ${who}localhost${path}`);
    }
  }
  t.same(page.source.done, []);
});

t.test('what is too large is refused, and whoever is slow keeps nobody waiting', async (t) => {
  const page = await servePage(t, { users: USERS });
  const many = Array.from({ length: 10_000 }, (_each, index) => `c${index}=1`).join('; ');
  for (const [what, header] of [
    ['a megabyte in one header', `X-A: ${'a'.repeat(1_000_000)}`],
    ['ten thousand cookies', `Cookie: ${many}`],
    [
      'ten thousand headers',
      Array.from({ length: 10_000 }, (_each, at) => `X-${at}: a`).join('\r\n'),
    ],
  ] as const) {
    const answer = await sendRaw(page.port, request('GET /api/v1/state HTTP/1.1', header));
    t.ok(
      statusesOf(answer).every((status) => status >= 400),
      `${what}: ${statusesOf(answer)}`,
    );
    t.notMatch(answer, SECRET, what);
  }
  const few = `${'a=b; '.repeat(500)}mobilenetd=${'A'.repeat(43)}; ${'c=d; '.repeat(500)}`;
  t.equal((await page.ask('/api/v1/state', { headers: { Cookie: few } })).status, 401);
  // Half a body, byte by byte, from more of them than there are places for passwords.
  const slow = Array.from({ length: 30 }, () => {
    const socket = connect(page.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      `${request('POST /api/v1/login HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 4000')}{"user":`,
    );
    return socket;
  });
  const login = await page.post('/api/v1/login', { user: 'anna', password: PASSWORD });
  t.equal(login.status, 200, 'others log in meanwhile');
  for (const socket of slow) socket.destroy();
});

/** Ways to write a path that a file system or a careless router would take for another one. */
const PATHS = [
  '/..%2f..%2fetc/passwd',
  '/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '/..%5c..%5cpackage.json',
  '/..%c0%af..%c0%afetc/passwd',
  '/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd',
  '/%e0%80%ae%e0%80%ae/etc/passwd',
  '/%252e%252e%252fetc%252fpasswd',
  '/..%00/etc/passwd',
  '/index.html%00.js',
  '/index.html%2f..%2f..%2fpackage.json',
  '/main-ABCDEFGH.js/../../package.json',
  '/api%2fv1%2fstate',
  '/api/v1%2fstate',
  '/api/v1/%73tate%2f',
  '/api/v1/state%3fx',
  '/api/v1/state%23x',
  '/api/v1/./state/.',
  '/API/V1/STATE',
  '/api/v1/state;jsessionid=1',
  '/api//v1//state',
  '/api/v1/events/%2e%2e%2fconfig',
  '/api/v1/events/..%2f..%2f..%2fetc%2fpasswd/thumb.jpg',
];

t.test('no path leads around a login or out of the folder of the page', async (t) => {
  const page = await servePage(t, { users: USERS });
  for (const path of PATHS) {
    const answer = await sendRaw(page.port, request(`GET ${path} HTTP/1.1`, 'Connection: close'));
    t.ok(
      statusesOf(answer).every((status) => status >= 400),
      `${path}: ${statusesOf(answer)}`,
    );
    t.notMatch(answer, SECRET, path);
    t.notMatch(answer, /root:|"dependencies"/, path);
  }
});

t.test('a method is what the first line says', async (t) => {
  const page = await servePage(t);
  const json = { 'Content-Type': 'application/json' };
  const body = JSON.stringify({ on: false });
  for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
    const path = '/api/v1/cameras/front/detect';
    t.equal((await page.ask(path, { headers: { ...json, [name]: 'POST' } })).status, 404, name);
    const post = await page.ask(`${path}?_method=GET`, { method: 'POST', headers: json, body });
    t.equal(post.status, 200, 'and a query does not change it');
  }
  t.equal(page.source.done.length, 3);
});

t.test(
  'every route: a head has no body and does nothing, other methods are not there',
  async (t) => {
    const page = await servePage(t);
    page.source.deliver({ jpeg: Uint8Array.of(255, 216), sequence: 1, time: 0 });
    for (const { method, path } of ROUTES) {
      const at = `/api/v1${path.replace('{camera}', 'back').replace('{id}', '0190')}`;
      const head = await page.ask(at, { method: 'HEAD' });
      t.equal(head.text, '', `HEAD ${at}`);
      t.ok(
        method === 'get' ? head.status !== 500 : head.status === 404,
        `HEAD ${at} ${head.status}`,
      );
      const others = ['OPTIONS', 'PUT', 'PATCH', 'DELETE', method === 'get' ? 'POST' : 'GET'];
      for (const other of others) {
        const headers = { 'Content-Type': 'application/json' };
        const answer = await page.ask(at, { method: other, headers });
        // A GET and a POST of the same path may both be there; nothing else is.
        const isOther = ROUTES.some(
          (each) => each.path === path && each.method === other.toLowerCase(),
        );
        if (!isOther) t.equal(answer.status, 404, `${other} ${at}`);
        t.notOk(answer.headers['access-control-allow-origin'], 'nothing is for other sites');
        t.notOk(answer.headers.allow);
      }
    }
    t.same(page.source.done, []);
  },
);

t.test('a part of an answer is not given: it comes whole', async (t) => {
  const page = await servePage(t);
  for (const range of [
    'bytes=0-0',
    'bytes=-1',
    'bytes=0-18446744073709551615',
    'bytes=0-0,0-0,0-0',
    'x',
  ]) {
    for (const path of ['/', '/main-ABCDEFGH.js', '/api/v1/state', '/api/v1/events.csv']) {
      const answer = await page.ask(path, { headers: { Range: range } });
      t.equal(answer.status, 200, `${path} ${range}`);
      t.notOk(answer.headers['content-range']);
    }
  }
});

async function sessionOf(page: PageUnderTest, user: string, password: string) {
  const { headers } = await page.post('/api/v1/login', { user, password });
  return { Cookie: String(headers['set-cookie']).split(';')[0] ?? '' };
}

t.test('a cookie opens nothing once it is old, and no more than its user may now', async (t) => {
  const users = { ...USERS };
  const page = await servePage(t, { users });
  const anna = await sessionOf(page, 'anna', PASSWORD);
  const bert = await sessionOf(page, 'bert', 'battery');
  const of = async (path: string, headers: Record<string, string>) =>
    (await page.ask(`/api/v1/${path}`, { headers })).status;
  t.equal(await of('config', anna), 200);
  users.anna = { ...users.anna, role: 'view' as 'admin' };
  t.equal(await of('config', anna), 403, 'who was an administrator');
  t.equal(await of('state', anna), 200);
  await page.post('/api/v1/logout', {}, bert);
  t.equal(await of('state', bert), 401, 'who has logged out');
  const again = await servePage(t, { users: USERS });
  const late = await again.ask('/api/v1/state', { headers: anna });
  t.equal(late.status, 401, 'of a page that was built anew');
  const twice = { Cookie: `mobilenetd=${'A'.repeat(43)}; ${anna.Cookie}` };
  t.equal(await of('state', twice), 401, 'the first of two cookies counts');
  Reflect.deleteProperty(users, 'anna');
  t.equal(await of('state', anna), 401, 'who is not in the configuration any more');
});

t.test('a stream for everybody, and no more of them than there are places', async (t) => {
  const page = await servePage(t);
  const flood = Array.from({ length: 60 }, () => {
    const socket = connect(page.port, '127.0.0.1');
    let got = '';
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.write(request('GET /api/v1/stream HTTP/1.1'));
    return { socket, got: () => got };
  });
  while (flood.some(({ got, socket }) => got() === '' && !socket.destroyed)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const statuses = flood.map(({ got }) => statusesOf(got())[0]);
  t.equal(statuses.filter((status) => status === 200).length, 16);
  t.equal(statuses.filter((status) => status === 429).length, 44);
  t.equal((await page.ask('/api/v1/state')).status, 200, 'others are answered');
  for (const { socket } of flood) socket.destroy();
});
