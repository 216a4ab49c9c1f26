import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import t, { type Test } from 'tap';
import type { FfmpegInput } from '#mobilenetd/camera/sources/ffmpeg/input.js';
import { createFfmpegSource } from '#mobilenetd/camera/sources/ffmpeg/source.js';
import { lastingFolder } from '../../lasting-folder.js';
import { hasOpenssl, makeCertificates } from '../../mqtt/certificates.js';
import { skipWithoutFfmpeg as skip } from '../ffmpeg.js';
import { startHttpCamera } from '../http-camera.js';
import { encodeStream, startRtspCamera } from '../rtsp-camera.js';

const PASSWORD = 'Sesam12';
const LOGIN = `Basic ${Buffer.from(`me:${PASSWORD}`).toString('base64')}`;

async function take(input: FfmpegInput, until = 3) {
  const ending = new AbortController();
  let frames = 0;
  const source = createFfmpegSource({ input, size: [64, 48], fps: 10 });
  const error = await source.run(ending.signal, () => {
    frames += 1;
    if (frames === until) ending.abort();
  });
  return { frames, error };
}

/** Somebody on the local network who must not be reached. */
async function startVictim(
  t: Test,
): Promise<{ readonly port: number; readonly visits: () => number }> {
  let visits = 0;
  const server = createServer((socket) => {
    visits += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { port: (server.address() as AddressInfo).port, visits: () => visits };
}

/** A film whose index is at its end, so that ffmpeg must jump about in it. */
function makeFilm(t: Test): Buffer {
  const file = join(lastingFolder(t, {}), 'film.mp4');
  const input = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=10:duration=3'];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, '-c:v', 'mpeg4', file]);
  return readFileSync(file);
}

function sendRange(film: Buffer, range: string | undefined, response: ServerResponse): void {
  const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
  response.writeHead(range === undefined ? 200 : 206, {
    'Accept-Ranges': 'bytes',
    'Content-Length': film.length - from,
    ...(range !== undefined && {
      'Content-Range': `bytes ${from}-${film.length - 1}/${film.length}`,
    }),
  });
  response.end(film.subarray(from));
}

const remote = (url: string, more: { username?: string; password?: string } = {}) =>
  ({ kind: 'remote', url, loop: false, ...more }) as const;

t.test(
  'a film over HTTP: a login, a redirect on the same host, an index at its end',
  { skip },
  async (t) => {
    const film = makeFilm(t);
    const camera = await startHttpCamera(t, (request, response) => {
      if (request.headers.authorization !== LOGIN) {
        response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="c"' }).end();
      } else if (request.url === '/old.mp4')
        response.writeHead(302, { Location: '/film.mp4' }).end();
      else sendRange(film, request.headers.range, response);
    });
    const { frames, error } = await take(
      remote(camera.url('/old.mp4'), { username: 'me', password: PASSWORD }),
      20,
    );
    t.equal(frames, 20, String(error));
    const refused = await take(remote(camera.url('/film.mp4')));
    t.match(refused.error, { code: 'MND_CAMERA_FAILED', message: /HTTP 401/ });
  },
);

t.test('what a server answers leads ffmpeg nowhere else', { skip }, async (t) => {
  const victim = await startVictim(t);
  const film = makeFilm(t);
  const there = `127.0.0.1:${victim.port}/secret.mp4`;
  const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://${there}\n#EXT-X-ENDLIST\n`;
  const answers: Readonly<Record<string, (response: ServerResponse, range?: string) => void>> = {
    '/302': (r) => r.writeHead(302, { Location: `http://${there}` }).end(),
    '/307.mp4': (r) => r.writeHead(307, { Location: `http://localhost:${victim.port}/` }).end(),
    '/https': (r) => r.writeHead(301, { Location: `https://${there}` }).end(),
    '/file': (r) => r.writeHead(302, { Location: 'file:///etc/passwd' }).end(),
    '/tcp': (r) => r.writeHead(302, { Location: `tcp://${there}` }).end(),
    '/hls': (r) => r.writeHead(200, { 'Content-Type': 'application/x-mpegURL' }).end(playlist),
    '/hls.mp4': (r) => r.writeHead(200, { 'Content-Type': 'video/mp4' }).end(playlist),
    '/concat.mp4': (r) => r.writeHead(200).end(`ffconcat version 1.0\nfile 'http://${there}'\n`),
    '/dash.mpd': (r) =>
      r.writeHead(200).end(`<?xml version="1.0"?><MPD><BaseURL>http://${there}</BaseURL></MPD>`),
    '/asx': (r) => r.writeHead(200).end(`<asx><entry><ref href="http://${there}"/></entry></asx>`),
    '/sdp': (r) => r.writeHead(200).end(`v=0\r\nm=video 1 RTP/AVP 33\r\nc=IN IP4 127.0.0.1\r\n`),
    // Good at first: who looked at it once before would be fooled.
    '/later.mp4': (r, range) =>
      range === undefined || range === 'bytes=0-'
        ? sendRange(film, range, r)
        : r.writeHead(302, { Location: `http://${there}` }).end(),
  };
  const camera = await startHttpCamera(t, (request, response) =>
    answers[request.url ?? '']?.(response, request.headers.range),
  );
  for (const path of Object.keys(answers)) {
    const { frames, error } = await take(remote(camera.url(path)), 1);
    t.equal(frames, 0, path);
    t.match(error, { code: 'MND_CAMERA_FAILED' }, path);
    t.match(error.message, /a redirect to another address|a playlist/, path);
  }
  t.equal(victim.visits(), 0, 'nobody was there');
});

t.test('a server that breaks off, or is not there, is said', { skip }, async (t) => {
  const film = makeFilm(t);
  const camera = await startHttpCamera(t, (_request, response) => {
    response.writeHead(200, { 'Content-Length': film.length });
    response.write(film.subarray(0, 100));
    setTimeout(() => response.destroy(), 100);
  });
  t.match((await take(remote(camera.url('/film.mp4')))).error, { code: 'MND_CAMERA_FAILED' });
  const gone = await take(remote('http://127.0.0.1:9/film.mp4'));
  t.match(gone.error, { code: 'MND_CAMERA_FAILED', message: /ECONNREFUSED/ });
});

const STREAM = ['-c:v', 'mpeg2video', '-q:v', '1', '-g', '5'];

t.test('an RTSP camera that redirects is not followed', { skip }, async (t) => {
  const victim = await startVictim(t);
  const there = `rtsp://127.0.0.1:${victim.port}/live`;
  const status = (line: string) => (number: string) =>
    `${line}\r\nCSeq: ${number}\r\nLocation: ${there}\r\n\r\n`;
  const answers = {
    OPTIONS: status('RTSP/1.0 302 Found'),
    DESCRIBE: status('RTSP/1.0 301 Moved Permanently'),
    SETUP: status('RTSP/1.0 305 Use Proxy'),
  };
  const odd = {
    'two spaces': status('RTSP/1.0  302 Found'),
    'a sign': status('RTSP/1.0 +302 Found'),
    zeros: status('RTSP/1.0 0302 Found'),
    'line feeds': (number: string) => `RTSP/1.0 303\nCSeq: ${number}\nLocation: ${there}\n\n`,
    'behind a packet': (number: string) => `$\0\0\u0004RTSP${status('RTSP/1.0 302 F')(number)}`,
  };
  const serve = async (answerOf: (method: string) => ((number: string) => string) | undefined) => {
    const sdp =
      'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:t\r\n';
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        const text = chunk.toString('latin1');
        const method = /^[A-Z]+/.exec(text)?.[0] ?? '';
        const number = /CSeq: (\d+)/i.exec(text)?.[1] ?? '0';
        const body = method === 'DESCRIBE' ? sdp : '';
        const length =
          body === '' ? '' : `Content-Type: application/sdp\r\nContent-Length: ${body.length}\r\n`;
        const usual = `RTSP/1.0 200 OK\r\nCSeq: ${number}\r\n${length}\r\n${body}`;
        const answer = answerOf(method)?.(number) ?? usual;
        // In two pieces, as networks deliver.
        socket.write(answer.slice(0, 7), 'latin1');
        setTimeout(() => socket.write(answer.slice(7), 'latin1'), 20);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    return `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/live`;
  };
  for (const [method, answer] of Object.entries(answers)) {
    const url = await serve((asked) => (asked === method ? answer : undefined));
    for (const transport of ['tcp', 'udp'] as const) {
      const { error } = await take({ kind: 'rtsp', url, transport });
      t.match(
        error,
        { code: 'MND_CAMERA_FAILED', message: /a redirect to another address/ },
        method,
      );
    }
    const { error } = await take({ kind: 'rtsp', url, username: 'me', password: PASSWORD });
    t.match(error.message, /a redirect to another address/, `${method}, with a login`);
  }
  for (const [what, answer] of Object.entries(odd)) {
    const url = await serve((asked) => (asked === 'DESCRIBE' ? answer : undefined));
    const { error } = await take({ kind: 'rtsp', url });
    t.match(error, { code: 'MND_CAMERA_FAILED' }, what);
  }
  t.equal(victim.visits(), 0, 'nobody was there');
});

t.test(
  'an RTSP camera over TLS',
  { skip: skip || (hasOpenssl ? false : 'openssl is not installed') },
  async (t) => {
    const camera = await startRtspCamera(encodeStream('testsrc2=s=64x48', 6, STREAM), 3);
    t.teardown(() => camera.unplug());
    const { read } = makeCertificates();
    const inner = new URL(camera.url());
    const sockets = new Set<Socket>();
    const outer = createTlsServer(
      { cert: read('server.crt'), key: read('server.key') },
      (socket) => {
        const plain = connect(Number(inner.port), '127.0.0.1');
        sockets.add(plain).add(socket);
        for (const each of [plain, socket]) each.on('error', () => {});
        socket.pipe(plain).pipe(socket);
      },
    );
    await new Promise<void>((resolve) => outer.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      outer.close();
      for (const socket of sockets) socket.destroy();
    });
    const { port } = outer.address() as AddressInfo;
    const { frames, error } = await take({ kind: 'rtsp', url: `rtsps://127.0.0.1:${port}/live` });
    t.ok(frames >= 3, String(error));
  },
);

t.test('an RTSP camera that is not there is said', { skip }, async (t) => {
  const { error } = await take({ kind: 'rtsp', url: 'rtsp://127.0.0.1:9/live' });
  t.match(error, { code: 'MND_CAMERA_FAILED', message: /ECONNREFUSED/ });
});
