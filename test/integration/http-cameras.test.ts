import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { startHttpCamera } from '../camera/http-camera.js';
import { eventually } from '../eventually.js';
import { broker, home } from './daemon-home.js';
import { runDaemon } from './daemon-process.js';

const PASSWORD = 'Sesam#1/2';

t.setTimeout(500_000);

t.test('cameras over HTTP through the daemon; a bad one is offline alone', async (t) => {
  const picture = await sharp({
    create: { width: 64, height: 48, channels: 3, background: '#c03020' },
  })
    .jpeg()
    .toBuffer();
  const login = `Basic ${Buffer.from(`me:${PASSWORD}`).toString('base64')}`;
  const camera = await startHttpCamera(t, (request, response) => {
    if (request.headers.authorization !== login) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="c"' }).end();
      return;
    }
    if (request.url === '/one.jpg') {
      response.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(picture);
      return;
    }
    // The boundary comes after each picture only.
    response.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace;boundary=frame' });
    const send = (): void => {
      response.write('Content-Type: image/jpeg\r\n\r\n');
      response.write(picture);
      response.write('\r\n--frame\r\n');
    };
    const timer = setInterval(send, 500);
    send();
    response.on('close', () => clearInterval(timer));
  });
  const { folder } = await home(t);
  const { url, listener } = await broker(t);
  writeFileSync(join(folder, 'secret'), `${PASSWORD}\n`);
  const file = join(folder, 'config.yaml');
  const common = 'username: me, password_file: secret';
  writeFileSync(
    file,
    [
      'node: board',
      'model: { task: classify, name: random_v1 }',
      `mqtt: { url: "${url}" }`,
      'cameras:',
      `  stream: { source: mjpeg, url: "${camera.url('/stream')}", ${common} }`,
      `  still: { source: snapshot, url: "${camera.url('/one.jpg')}", interval: 0.5, ${common} }`,
      `  wrong: { source: mjpeg, url: "${camera.url('/one.jpg')}", ${common} }`,
      `  absent: { source: v4l2, device: "/dev/®_none@1=a#b", size: [4608, 2592] }`,
    ].join('\n'),
  );
  const daemon = runDaemon(folder, file);
  const labels = { stream: 0, still: 0 };
  listener.client.on('message', (topic) => {
    if (topic === 'mobilenetd/board/stream/labels') labels.stream += 1;
    if (topic === 'mobilenetd/board/still/labels') labels.still += 1;
  });
  const reasonOf = (name: string): string =>
    String(
      JSON.parse(listener.values.get(`mobilenetd/board/${name}/status/attributes`) ?? '{}').reason,
    );
  t.ok(await listener.until('stream/status', 'online'), daemon.log());
  t.ok(await listener.until('still/status', 'online'), daemon.log());
  t.ok(await eventually(() => labels.stream >= 2 && labels.still >= 2), daemon.log());
  t.ok(await eventually(() => /source: snapshot/.test(reasonOf('wrong'))), daemon.log());
  t.ok(await eventually(() => /none@1/.test(reasonOf('absent'))), daemon.log());
  t.notMatch(daemon.log(), /Sesam/);
  t.notMatch([...listener.values.values()].map(String).join('\n'), /Sesam/);
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});
