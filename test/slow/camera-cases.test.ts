import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import { skipWithoutFfmpeg as skip } from '../camera/ffmpeg.js';
import { startHttpCamera } from '../camera/http-camera.js';
import { encodeH264, startRtpCamera } from '../camera/rtp-camera.js';
import { eventually } from '../eventually.js';
import { broker, home } from '../integration/daemon-home.js';
import { runDaemon, type Subscriber } from '../integration/daemon-process.js';
import { soak } from './soak.js';

t.setTimeout(600_000);

const picture = await sharp({
  create: { width: 64, height: 48, channels: 3, background: '#c03020' },
})
  .jpeg()
  .toBuffer();

/** Runs the daemon with cameras, each a line of YAML behind its name. */
async function runCameras(t: Test, cameras: Readonly<Record<string, string>>) {
  const { folder } = await home(t);
  const { url, listener } = await broker(t);
  const file = join(folder, 'config.yaml');
  writeFileSync(
    file,
    [
      'node: board',
      'model: { task: classify, name: random_v1 }',
      `mqtt: { url: "${url}" }`,
      'cameras:',
      ...Object.entries(cameras).map(([name, text]) => `  ${name}: { ${text} }`),
    ].join('\n'),
  );
  const daemon = runDaemon(folder, file);
  t.teardown(() => daemon.child.kill('SIGKILL'));
  return { daemon, listener, delivered: () => delivered(listener) };
}

interface Counted {
  readonly at: number;
  /** Frames by camera that passed since the start. */
  readonly frames: ReadonlyMap<string, number>;
}

let transaction = 0;

/** What `health` counts, asked for now. */
async function delivered(listener: Subscriber): Promise<Counted> {
  transaction += 1;
  const asked = String(transaction);
  const topic = 'mobilenetd/board/response/health';
  const answer = () => JSON.parse(listener.values.get(topic) ?? '{}');
  await listener.say('request/health', JSON.stringify({ transaction: asked }));
  await eventually(() => answer().transaction === asked);
  const at = performance.now();
  const cameras: Record<string, { delivered: number }> = answer().health?.cameras ?? {};
  return {
    at,
    frames: new Map(Object.entries(cameras).map(([name, found]) => [name, found.delivered])),
  };
}

/** Frames that each camera let pass, and how long that took, s. */
async function countFor(seconds: number, ask: () => Promise<Counted>) {
  const before = await ask();
  await delay(seconds * 1000);
  const after = await ask();
  return {
    seconds: (after.at - before.at) / 1000,
    of: (name: string) => (after.frames.get(name) ?? 0) - (before.frames.get(name) ?? 0),
  };
}

/** How cameras write multipart streams. */
const DIALECTS: Readonly<Record<string, { readonly type: string; part(bytes: Buffer): Buffer }>> = {
  usual: dialect('multipart/x-mixed-replace;boundary=frame', '--frame\r\n', '\r\n'),
  quoted: dialect('multipart/x-mixed-replace; boundary="frame"', '--frame\r\n', '\r\n'),
  dashes: dialect('multipart/x-mixed-replace;boundary=--frame', '--frame\r\n', '\r\n'),
  nofirst: dialect('multipart/x-mixed-replace;boundary=frame', '', '\r\n--frame\r\n'),
  nolength: dialect('multipart/x-mixed-replace;boundary=frame', '--frame\r\n', '\r\n', false),
  untold: dialect('multipart/x-mixed-replace', '--frame\r\n', '\r\n'),
  feeds: {
    type: 'multipart/x-mixed-replace;boundary=frame',
    part: (bytes) =>
      Buffer.concat([
        Buffer.from(`--frame\nContent-Type: image/jpeg\nContent-Length: ${bytes.length}\n\n`),
        bytes,
        Buffer.from('\n'),
      ]),
  },
  bare: { type: 'video/x-motion-jpeg', part: (bytes) => bytes },
};

function dialect(type: string, before: string, after: string, hasLength = true) {
  return {
    type,
    part: (bytes: Buffer) => {
      const length = hasLength ? `Content-Length: ${bytes.length}\r\n` : '';
      const head = `${before}Content-Type: image/jpeg\r\n${length}\r\n`;
      return Buffer.concat([Buffer.from(head), bytes, Buffer.from(after)]);
    },
  };
}

/** Answers `/DIALECT?fps=N`. */
function stream(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://camera');
  const { type, part } = DIALECTS[pathname.slice(1)] ?? {
    type: '',
    part: (bytes: Buffer) => bytes,
  };
  const fps = Number(searchParams.get('fps') ?? 10);
  response.writeHead(200, { 'Content-Type': type });
  const started = performance.now();
  let sent = 0;
  const send = (): void => {
    while (sent <= ((performance.now() - started) * fps) / 1000) {
      response.write(part(picture));
      sent += 1;
    }
  };
  const timer = setInterval(send, 5);
  send();
  response.on('close', () => clearInterval(timer));
}

t.test('cameras without time stamps keep their rate, 0.2 to 60 a second', async (t) => {
  const camera = await startHttpCamera(t, stream);
  const url = (fps: number) => camera.url(`/usual?fps=${fps}`);
  const rates: Readonly<Record<string, readonly [sent: number, fps: number]>> = {
    fifth: [0.2, 10],
    half: [0.5, 10],
    one: [1, 25],
    ten: [10, 60],
    thirty: [30, 60],
    sixty: [60, 60],
    held: [60, 7],
  };
  const { daemon, listener, delivered } = await runCameras(
    t,
    Object.fromEntries(
      Object.entries(rates).map(([name, [sent, fps]]) => [
        name,
        `source: mjpeg, url: "${url(sent)}", fps: ${fps}`,
      ]),
    ),
  );
  for (const name of Object.keys(rates)) {
    t.ok(await listener.until(`${name}/status`, 'online'), `${name}. ${daemon.log()}`);
  }
  const counted = await countFor(soak(20, 60), delivered);
  for (const [name, [sent, fps]] of Object.entries(rates)) {
    const wanted = Math.min(sent, fps) * counted.seconds;
    const found = counted.of(name);
    // A frame more or less falls to either side of the ends.
    t.ok(Math.abs(found - wanted) <= 0.1 * wanted + 1, `${name}: ${found} of ${wanted.toFixed(1)}`);
  }
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

t.test('every dialect of MJPEG is read', async (t) => {
  const camera = await startHttpCamera(t, stream);
  const { daemon, listener, delivered } = await runCameras(
    t,
    Object.fromEntries(
      Object.keys(DIALECTS).map((name) => [
        name,
        `source: mjpeg, url: "${camera.url(`/${name}?fps=5`)}", fps: 10`,
      ]),
    ),
  );
  for (const name of Object.keys(DIALECTS)) {
    t.ok(await listener.until(`${name}/status`, 'online'), `${name}. ${daemon.log()}`);
  }
  const counted = await countFor(soak(10, 20), delivered);
  for (const name of Object.keys(DIALECTS)) {
    const wanted = 5 * counted.seconds;
    t.ok(Math.abs(counted.of(name) - wanted) <= 0.1 * wanted + 1, `${name}: ${counted.of(name)}`);
  }
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

t.test('time stamps that step, wrap or stand still make no frames', { skip }, async (t) => {
  const units = encodeH264(10);
  const FPS = 10;
  /** So many frames come before the step: some while after the start. */
  const AT = 100;
  const ticks = (frame: number) => 1000 + (frame * 90_000) / FPS;
  const step = (seconds: number) => (frame: number) =>
    2 ** 32 + ticks(frame) + (frame >= AT ? seconds * 90_000 : 0);
  const stamps: Readonly<Record<string, (frame: number) => number>> = {
    ahead: step(600),
    back: step(-600),
    far: step(20_000),
    wrap: (frame) => 2 ** 32 - (AT * 90_000) / FPS + (frame * 90_000) / FPS,
    still: () => 1000,
  };
  const cameras: Record<string, string> = {};
  for (const [name, stampOf] of Object.entries(stamps)) {
    const url = await startRtpCamera(t, { units, fps: FPS, stampOf });
    cameras[name] = `source: rtsp, url: "${url}", fps: 2, size: [160, 120]`;
  }
  const { daemon, listener, delivered } = await runCameras(t, cameras);
  for (const name of Object.keys(stamps)) {
    t.ok(await listener.until(`${name}/status`, 'online'), `${name}. ${daemon.log()}`);
  }
  const counted = await countFor(soak(20, 30), delivered);
  for (const name of Object.keys(stamps)) {
    const wanted = 2 * counted.seconds;
    const found = counted.of(name);
    t.ok(found <= 1.1 * wanted + 2, `${name}: ${found} are not too many for ${wanted.toFixed(0)}`);
    t.ok(found >= 0.8 * wanted - 2, `${name}: ${found} are not too few for ${wanted.toFixed(0)}`);
    t.equal(listener.values.get(`mobilenetd/board/${name}/status`), 'online', name);
  }
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

t.test('no answer of a camera makes the daemon speak with anybody else', { skip }, async (t) => {
  let visits = 0;
  const victim = createServer((socket) => {
    visits += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => victim.listen(0, '127.0.0.1', resolve));
  t.teardown(() => victim.close());
  const { port } = victim.address() as AddressInfo;
  const there = `http://127.0.0.1:${port}/x`;
  const playlist = `#EXTM3U\n#EXTINF:1,\n${there}\n#EXT-X-ENDLIST\n`;
  const camera = await startHttpCamera(t, ({ url }, response) => {
    if (url?.startsWith('/redirect')) response.writeHead(302, { Location: there }).end();
    else if (url === '/hls')
      response.writeHead(200, { 'Content-Type': 'application/x-mpegURL' }).end(playlist);
    else
      response
        .writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace;boundary=f' })
        .end(playlist);
  });
  const redirecting = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const number = /CSeq: (\d+)/i.exec(chunk.toString('latin1'))?.[1] ?? '0';
      socket.write(
        `RTSP/1.0 302 Found\r\nCSeq: ${number}\r\nLocation: rtsp://127.0.0.1:${port}/x\r\n\r\n`,
      );
    });
  });
  await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve));
  t.teardown(() => redirecting.close());
  const rtsp = `rtsp://127.0.0.1:${(redirecting.address() as AddressInfo).port}/live`;
  const cameras: Record<string, string> = {
    lying: `source: mjpeg, url: "${camera.url('/multipart')}"`,
    hls: `source: mjpeg, url: "${camera.url('/hls')}"`,
    film: `source: video, url: "${camera.url('/hls')}"`,
    moved: `source: video, url: "${camera.url('/redirect')}"`,
    elsewhere: `source: mjpeg, url: "${camera.url('/redirect')}"`,
    still: `source: snapshot, url: "${camera.url('/redirect')}"`,
    door: `source: rtsp, url: "${rtsp}"`,
    gate: `source: rtsp, url: "${rtsp}", transport: udp`,
  };
  const { daemon, listener } = await runCameras(t, cameras);
  const reasonOf = (name: string) =>
    JSON.parse(listener.values.get(`mobilenetd/board/${name}/status/attributes`) ?? '{}').reason ??
    '';
  const reasons: Readonly<Record<string, RegExp>> = {
    hls: /mpegURL" instead of pictures/,
    film: /a playlist/,
    moved: /a redirect to another address/,
    elsewhere: /a redirect to another address/,
    still: /a redirect to another address/,
    door: /a redirect to another address/,
    gate: /a redirect to another address/,
  };
  for (const [name, pattern] of Object.entries(reasons)) {
    t.ok(await eventually(() => pattern.test(reasonOf(name))), `${name}: ${reasonOf(name)}`);
  }
  t.ok(await eventually(() => reasonOf('lying') !== '' && reasonOf('lying') !== 'not started'));
  await delay(5000);
  t.equal(visits, 0, 'nobody was there');
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});
