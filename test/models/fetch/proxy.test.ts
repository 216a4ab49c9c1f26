import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { createHttpClient } from '#mobilenetd/models/fetch/http.js';
import { openTunnel, proxyFor } from '#mobilenetd/models/fetch/proxy.js';
import { PATIENCE_MS } from '../../eventually.js';
import { startServer } from '../http-server.js';

t.test('which proxy', async (t) => {
  const env = {
    http_proxy: 'http://plain:3128',
    HTTPS_PROXY: 'secure:3129',
    no_proxy: 'localhost, .example.org  *.lan,10.0.0.1,host:8443',
  };
  const proxy = (address: string) => proxyFor(new URL(address), env)?.host ?? null;
  t.equal(proxy('http://a.com/x'), 'plain:3128');
  t.equal(proxy('https://a.com/x'), 'secure:3129', 'an address without a scheme');
  for (const address of [
    'http://localhost:1234/',
    'https://example.org/',
    'https://deep.example.org/',
    'http://pi.lan/',
    'https://10.0.0.1/',
    'https://host:8443/',
  ]) {
    t.equal(proxy(address), null, address);
  }
  t.equal(proxy('https://host/'), 'secure:3129', 'another port');
  t.equal(proxy('https://badexample.org/'), 'secure:3129', 'not a part of the name');
  t.equal(proxyFor(new URL('http://a.com'), { ...env, no_proxy: '*' }), null);
  t.equal(proxyFor(new URL('http://a.com'), {}), null);
  t.equal(proxyFor(new URL('http://a.com'), { HTTP_PROXY: 'A', http_proxy: 'b' })?.host, 'b');
});

/** A proxy on loopback that treats CONNECT as `onTunnel` says. */
async function startProxy(
  t: Pick<Test, 'teardown'>,
  onTunnel: (socket: Socket, target: string) => void,
): Promise<URL> {
  const sockets = new Set<Socket>();
  const proxy = createServer();
  proxy.on('connect', (request, socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onTunnel(socket, request.url ?? '');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  return new URL(`http://user:pa%20ss@127.0.0.1:${port}`);
}

t.test('a tunnel', async (t) => {
  const echo = createTcpServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  t.teardown(() => echo.close());
  const { port } = echo.address() as AddressInfo;
  const targets: string[] = [];
  const proxy = await startProxy(t, (socket, target) => {
    targets.push(target);
    const [host = '', to] = target.split(':');
    const other = connect(Number(to), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(other).pipe(socket);
      socket.once('close', () => other.destroy());
    });
  });
  const url = new URL(`https://127.0.0.1:${port}/x`);
  const socket = await openTunnel(url, proxy, new AbortController().signal);
  socket.write('hello');
  const answer = await new Promise((resolve) => socket.once('data', resolve));
  t.equal(String(answer), 'hello');
  t.strictSame(targets, [`127.0.0.1:${port}`]);
  socket.destroy();
});

t.test('a proxy that says nothing, hangs up, or refuses', async (t) => {
  for (const [onTunnel, message] of [
    [() => undefined, /no answer in time/],
    [(socket: Socket) => socket.destroy(), /socket hang up/],
    [
      (socket: Socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
      /the proxy 127\.0\.0\.1:\d+ answers with HTTP status 407/,
    ],
  ] as const) {
    const proxy = await startProxy(t, onTunnel);
    const client = createHttpClient({ https_proxy: proxy.href }, { answer: 50, idle: 50 });
    await t.rejects(client.get({ url: 'https://example.org/x' }), { message });
  }
});

t.test('a plain address is asked of the proxy as a whole', async (t) => {
  const proxy = await startServer((_request, response) => response.end('from the proxy'));
  t.teardown(() => proxy.close());
  const env = { http_proxy: proxy.url.replace('//', '//user:pa%20ss@') };
  const client = createHttpClient(env, { answer: PATIENCE_MS, idle: PATIENCE_MS });
  const { statusCode, body } = await client.get({ url: 'http://example.org:81/a?b' });
  t.equal(statusCode, 200);
  t.equal(String(Buffer.concat(await body.toArray())), 'from the proxy');
  t.equal(proxy.seen[0]?.url, 'http://example.org:81/a?b');
  t.equal(proxy.seen[0]?.headers.host, 'example.org:81');
  const credentials = Buffer.from('user:pa ss').toString('base64');
  t.equal(proxy.seen[0]?.headers['proxy-authorization'], `Basic ${credentials}`);
});
