import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import sharp from 'sharp';
import t from 'tap';
import type { CapturedFrame, Source } from '#mobilenetd/camera/source.js';
import type { SourceNotice } from '#mobilenetd/camera/sources/description.js';
import { createMjpegSource } from '#mobilenetd/camera/sources/mjpeg.js';
import { createSnapshotSource } from '#mobilenetd/camera/sources/snapshot.js';
import { startHttpCamera } from '../http-camera.js';

const picture = await sharp({
  create: { width: 64, height: 48, channels: 3, background: '#c83214' },
})
  .jpeg()
  .toBuffer();

const SECRET = 'Sesam#1/2?@:';

/** Takes frames until there are so many, or the source ends. */
async function take(source: Source, until: number) {
  const ending = new AbortController();
  const frames: Buffer[] = [];
  let alive = 0;
  const onFrame = ({ bytes }: CapturedFrame): void => {
    frames.push(Buffer.from(bytes));
    if (frames.length >= until) ending.abort();
  };
  const onAlive = (): void => {
    alive += 1;
    if (alive >= 3) ending.abort();
  };
  const error = await source.run(ending.signal, onFrame, onAlive);
  return { frames, error, alive };
}

function sendParts(
  response: ServerResponse,
  count: number,
  type = 'multipart/x-mixed-replace',
): void {
  response.writeHead(200, { 'Content-Type': type });
  for (let part = 0; part < count; part += 1) {
    response.write('--b\r\nContent-Type: image/jpeg\r\n\r\n');
    response.write(picture);
    response.write('\r\n');
  }
}

t.test('an MJPEG stream until it is stopped, and until the camera ends it', async (t) => {
  const camera = await startHttpCamera(t, (request, response) => {
    sendParts(response, 4);
    if (request.url === '/ends') response.end();
  });
  const { frames, error } = await take(createMjpegSource({ url: camera.url() }), 3);
  t.equal(frames.length, 3);
  t.ok(frames.every((bytes) => bytes.equals(picture)));
  t.match(error, { code: 'MND_CAMERA_STOPPED' });
  const ended = await take(createMjpegSource({ url: camera.url('/ends') }), 9);
  t.equal(ended.frames.length, 4);
  t.match(ended.error, { code: 'MND_CAMERA_FAILED', message: /ended the stream/ });
});

t.test('a stream of any name is read; what is damaged in it is told', async (t) => {
  const camera = await startHttpCamera(t, ({ url = '/' }, response) => {
    if (url === '/damaged') {
      response.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace' });
      for (const bytes of [picture, picture.subarray(0, -40), picture, picture]) {
        response.write('--b\r\nContent-Type: image/jpeg\r\n\r\n');
        response.write(bytes);
        response.write('\r\n');
      }
    } else sendParts(response, 2, decodeURIComponent(url.slice(1)));
  });
  for (const type of ['text/html', 'text/plain', 'image/jpeg', 'application/x-none', 'video/mp4']) {
    const url = camera.url(`/${encodeURIComponent(type)}`);
    const { frames, error } = await take(createMjpegSource({ url }), 2);
    t.equal(frames.length, 2, `${type}: ${error.message}`);
  }
  const notices: SourceNotice[] = [];
  const source = createMjpegSource({ url: camera.url('/damaged') }, (n) => notices.push(n));
  const { frames } = await take(source, 3);
  t.ok(frames.every((bytes) => bytes.equals(picture)));
  t.match(notices, [{ kind: 'refused', message: /1? ?picture.* left out: cut off/ }]);
});

t.test('what answers is no camera of HTTP', async (t) => {
  for (const answer of [
    'ICY 200 OK\r\n\r\n',
    'RTSP/1.0 400 Bad\r\n\r\n',
    'SSH-2.0-x\r\n',
    '\0\0',
  ]) {
    const server = createServer((socket) => socket.on('error', () => {}).end(answer));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    for (const create of [createMjpegSource, createSnapshotSource]) {
      const { error } = await take(create({ url: `http://127.0.0.1:${port}/`, fps: 1 }), 1);
      t.match(error, { code: 'MND_CAMERA_FAILED', message: /no HTTP.*RTSP address|HTTP 400/ });
    }
    server.close();
  }
});

t.test('a login in the address or beside it, Basic and Digest', async (t) => {
  const camera = await startHttpCamera(t, (request, response) => {
    const given = request.headers.authorization ?? '';
    const basic = `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`;
    const isBasic = request.url?.startsWith('/basic') ?? false;
    if (isBasic ? given === basic : /^Digest username="me"/.test(given)) sendParts(response, 2);
    else {
      const asked = isBasic ? 'Basic realm="c"' : 'Digest realm="c", nonce="n1", qop="auth"';
      response.writeHead(401, { 'WWW-Authenticate': asked }).end();
    }
  });
  const login = { username: 'me', password: SECRET };
  const inAddress = (path: string) =>
    camera.url(path).replace('://', `://me:${encodeURIComponent(SECRET)}@`);
  for (const path of ['/basic', '/digest?channel=1']) {
    for (const options of [{ url: camera.url(path), ...login }, { url: inAddress(path) }]) {
      const { frames, error } = await take(createMjpegSource(options), 2);
      t.equal(frames.length, 2, `${path}: ${error.message}`);
      t.notMatch(String(error), /Sesam/);
    }
    const none = await take(createMjpegSource({ url: camera.url(path) }), 1);
    t.match(none.error, { code: 'MND_CAMERA_FAILED', message: /401.*give the camera/ });
    const wrong = { ...login, password: 'Sesam-wrong' };
    const refused = await take(createMjpegSource({ url: camera.url(path), ...wrong }), 1);
    if (path === '/basic') t.match(refused.error, { message: /401.*check user/ });
    t.notMatch(String(refused.error), /Sesam/);
  }
});

t.test('what an address sends instead of a stream is told', async (t) => {
  const camera = await startHttpCamera(t, (request, response) => {
    const type = (value: string) => response.writeHead(200, { 'Content-Type': value });
    if (request.url === '/one') type('image/jpeg').end(picture);
    else if (request.url === '/page') type('text/html').end('<html>');
    else if (request.url === '/hls') type('application/vnd.apple.mpegurl').end('#EXTM3U\n');
    else if (request.url === '/lies') type('image/jpeg').end('#EXTM3U\nhttp://127.0.0.1/\n');
    else if (request.url === '/empty') type('multipart/x-mixed-replace').end('--b\r\n--b--');
    else response.writeHead(503).end();
  });
  for (const [path, message] of [
    ['/one', /one picture.*source: snapshot/],
    ['/page', /text\/html/],
    ['/hls', /mpegurl/],
    ['/lies', /picture/],
    ['/empty', /no picture/],
    ['/none', /HTTP 503/],
  ] as const) {
    const { frames, error } = await take(createMjpegSource({ url: camera.url(path) }), 1);
    t.equal(frames.length, 0, path);
    t.match(error, { code: 'MND_CAMERA_FAILED', message }, path);
  }
});

t.test('redirects stay on the host, and within the scheme', async (t) => {
  const other = await startHttpCamera(t, (_request, response) => sendParts(response, 2));
  const camera = await startHttpCamera(t, (request, response) => {
    const to: Readonly<Record<string, string>> = {
      '/here': '/stream',
      '/other': other.url(),
      '/tls': 'https://127.0.0.1/',
      '/file': 'file:///etc/passwd',
      '/circle': '/circle',
    };
    const location = to[request.url ?? ''];
    if (location === undefined) sendParts(response, 2);
    else response.writeHead(302, { Location: location }).end();
  });
  const here = await take(createMjpegSource({ url: camera.url('/here') }), 2);
  t.equal(here.frames.length, 2, here.error.message);
  for (const path of ['/other', '/tls', '/file', '/circle']) {
    const { error } = await take(createMjpegSource({ url: camera.url(path) }), 1);
    t.match(error, { code: 'MND_CAMERA_FAILED', message: /redirect/ }, path);
  }
  t.equal(other.requests.length, 0);
});

t.test(
  'a snapshot address is asked again and again; what has not changed does not come',
  async (t) => {
    let version = 1;
    const camera = await startHttpCamera(t, (request, response) => {
      const etag = `"v${version}"`;
      if (request.url === '/etag' && request.headers['if-none-match'] === etag) {
        response.writeHead(304, { ETag: etag }).end();
        return;
      }
      const headers = {
        'Content-Type': 'image/jpeg',
        ...(request.url === '/etag' && { ETag: etag }),
      };
      response.writeHead(200, headers).end(picture);
    });
    const plain = await take(createSnapshotSource({ url: camera.url(), fps: 50 }), 4);
    t.equal(plain.frames.length, 4);
    const tagged = await take(createSnapshotSource({ url: camera.url('/etag'), fps: 50 }), 9);
    t.equal(tagged.frames.length, 1);
    t.equal(tagged.alive, 3, 'it is alive all the same');
    version = 2;
  },
);

t.test('what is no picture, or a stream, is told', async (t) => {
  const camera = await startHttpCamera(t, (request, response) => {
    if (request.url === '/stream') sendParts(response, 1);
    else if (request.url === '/page')
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>');
    else if (request.url === '/cut') {
      response.writeHead(200, { 'Content-Length': picture.length });
      response.write(picture.subarray(0, 100));
      setTimeout(() => response.destroy(), 10);
    } else response.writeHead(404).end();
  });
  for (const [path, message] of [
    ['/stream', /source: mjpeg/],
    ['/page', /text\/html.*no picture/],
    ['/cut', /closed|aborted/],
    ['/none', /HTTP 404/],
  ] as const) {
    const source = createSnapshotSource({ url: camera.url(path), fps: 10 });
    const { frames, error } = await take(source, 1);
    t.equal(frames.length, 0, path);
    t.match(error, { code: 'MND_CAMERA_FAILED', message }, path);
  }
});

const [local] = Object.entries(networkInterfaces()).flatMap(([name, places = []]) =>
  places
    .filter(({ family, address }) => family === 'IPv6' && address.startsWith('fe80:'))
    .map(({ address }) => `${address}%${name}`),
);

t.test(
  'a camera on a link-local address is reached',
  { skip: local === undefined && 'this machine has no link-local address' },
  async (t) => {
    const hosts: (string | undefined)[] = [];
    const server = createHttpServer((request, response) => {
      hosts.push(request.headers.host);
      if (request.url === '/moved') response.writeHead(302, { Location: '/' }).end();
      else sendParts(response, 2);
    });
    await new Promise<void>((resolve) => server.listen(0, '::', resolve));
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    for (const path of ['/', '/moved']) {
      const source = createMjpegSource({ url: `http://[${local}]:${port}${path}` });
      const { frames, error } = await take(source, 2);
      t.equal(frames.length, 2, error.message);
    }
    t.ok(
      hosts.every((host) => !host?.includes('%')),
      'the interface is ours alone (RFC 6874)',
    );
  },
);
