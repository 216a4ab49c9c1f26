import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import type { CapturedFrame } from '#mobilenetd/camera/source.js';
import type { FfmpegInput } from '#mobilenetd/camera/sources/ffmpeg/arguments.js';
import { createFfmpegSource } from '#mobilenetd/camera/sources/ffmpeg/source.js';
import { skipWithoutFfmpeg as skip } from './ffmpeg.js';
import { encodeStream, startRtspCamera } from './rtsp-camera.js';

const USER = 'viewer';
const PASSWORD = 'Sesam12';
/** Both servers show one colour, as rgb. */
const COLOUR = [200, 50, 20] as const;

async function listen(test: Test, server: Server, sockets: Set<Socket>): Promise<number> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  test.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function take(input: FfmpegInput, until: number, onFrame = (_count: number) => {}) {
  const ending = new AbortController();
  const frames: CapturedFrame[] = [];
  const source = createFfmpegSource({ input, size: [160, 120], fps: 10 });
  const error = await source.run(ending.signal, (frame) => {
    if (frames.length === until) return;
    frames.push({ ...frame, bytes: frame.bytes.slice() });
    onFrame(frames.length);
    if (frames.length === until) ending.abort();
  });
  return { frames, error };
}

/** True when the middle of the frame has the colour, within `levels`. */
function showsColour({ width, height, bytes }: CapturedFrame, levels: number): boolean {
  const luma = bytes[(height / 2) * width + width / 2] ?? 0;
  const chroma = ((height / 4) * width) / 2 + width / 4;
  const cb = (bytes[width * height + chroma] ?? 0) - 128;
  const cr = (bytes[width * height * 1.25 + chroma] ?? 0) - 128;
  const rgb = [luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb];
  return rgb.every((value, index) => Math.abs(value - (COLOUR[index] ?? 0)) <= levels);
}

t.test('MJPEG over HTTP, with a password, until the server goes away', { skip }, async (t) => {
  const [red, green, blue] = COLOUR;
  const picture = await sharp({
    create: { width: 160, height: 120, channels: 3, background: { r: red, g: green, b: blue } },
  })
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .toBuffer();
  const sockets = new Set<Socket>();
  const expected = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
  const server = createHttpServer((request, response) => {
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="camera"' }).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace; boundary=frame' });
    const timer = setInterval(() => {
      response.write(
        `--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`,
      );
      response.write(picture);
      response.write('\r\n');
    }, 40);
    response.on('close', () => clearInterval(timer));
  });
  const port = await listen(t, server, sockets);
  const url = `http://${USER}:${PASSWORD}@127.0.0.1:${port}/video`;
  const { frames, error } = await take(
    { kind: 'mjpeg', url },
    Number.POSITIVE_INFINITY,
    (count) => {
      if (count === 3) for (const socket of sockets) socket.destroy();
    },
  );
  t.ok(frames.length >= 3);
  t.ok(frames.every((frame) => showsColour(frame, 3)));
  t.match(error, { code: 'MND_CAMERA_FAILED' });
  t.notMatch(String(error), new RegExp(PASSWORD));
  const refused = await take({ kind: 'mjpeg', url: `http://127.0.0.1:${port}/video` }, 1);
  t.match(refused.error, { code: 'MND_CAMERA_FAILED', message: /401/ });
});

t.test('RTSP', { skip }, async (t) => {
  const hex = COLOUR.map((value) => value.toString(16).padStart(2, '0')).join('');
  const stream = encodeStream(`color=c=0x${hex}:s=160x120`, 6, [
    ...['-vf', 'scale=out_color_matrix=bt601:out_range=limited,format=yuv420p'],
    ...['-c:v', 'mpeg2video', '-q:v', '1', '-g', '5', '-colorspace', 'smpte170m'],
  ]);
  const camera = await startRtspCamera(stream, 3);
  t.teardown(() => camera.unplug());
  const { frames, error } = await take({ kind: 'rtsp', url: camera.url() }, 5);
  t.equal(frames.length, 5, String(error));
  t.ok(frames.every((frame) => showsColour(frame, 3)));
  t.match(error, { code: 'MND_CAMERA_STOPPED' });
});
