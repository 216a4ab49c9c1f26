import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { startHttpCamera } from '../camera/http-camera.js';
import { eventually } from '../eventually.js';
import { broker, command, home, report } from './daemon-home.js';
import { runDaemon } from './daemon-process.js';

t.setTimeout(500_000);

/** The beginning of a HEIC picture, which is not read. */
const HEIC = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic'), Buffer.alloc(64)]);

t.test('what a source refuses or finds odd is in status, health and the log, once', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const picture = await sharp({
    create: { width: 64, height: 48, channels: 3, background: '#c03020' },
  })
    .jpeg()
    .toBuffer();
  const fast = await startHttpCamera(t, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace;boundary=frame' });
    const part = `--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`;
    const timer = setInterval(() => {
      for (let i = 0; i < 20; i += 1) {
        response.write(part);
        response.write(picture);
        response.write('\r\n');
      }
    }, 20);
    response.on('close', () => clearInterval(timer));
  });
  writeFileSync(join(pictures, 'IMG_1.heic'), HEIC);
  writeFileSync(
    Buffer.concat([Buffer.from(`${pictures}/`), Buffer.from([0xe9, 0x2e]), Buffer.from('heic')]),
    HEIC,
  );
  const uploads = join(folder, 'uploads');
  mkdirSync(uploads);
  const file = join(folder, 'config.yaml');
  writeFileSync(
    file,
    [
      'node: board',
      'model: { task: classify, name: random_v1 }',
      `mqtt: { url: "${url}" }`,
      'cameras:',
      `  show: { source: files, path: ${pictures}, fps: 10, loop: true }`,
      `  inbox: { source: watch, path: ${uploads}, fps: 5 }`,
      `  flood: { source: mjpeg, url: "${fast.url('/')}", fps: 5 }`,
    ].join('\n'),
  );
  const daemon = runDaemon(folder, file);
  t.ok(await listener.until('show/status', 'online'), daemon.log());
  t.ok(await listener.until('inbox/status', 'online'), daemon.log());

  const put = (name: string, bytes: Buffer, writtenS = Date.now() / 1000) => {
    const part = join(folder, `part-${name}`);
    writeFileSync(part, bytes);
    utimesSync(part, writtenS, writtenS);
    renameSync(part, join(uploads, name));
  };
  put('IMG_2.HEIC', HEIC);
  put('yesterday.jpg', picture, Date.now() / 1000 - 86_400);

  const noticesOf = async (camera: string) =>
    (await report(folder)).running?.cameras.find(({ name }) => name === camera)?.notices ?? [];
  const until = (camera: string, kinds: readonly string[]) =>
    eventually(async () => {
      const found = (await noticesOf(camera)).map(({ kind }) => kind);
      return kinds.every((kind) => found.some((other) => other === kind));
    });
  t.ok(await until('show', ['refused']), daemon.log());
  t.ok(await until('inbox', ['refused', 'old']), daemon.log());
  t.ok(await until('flood', ['flood']), daemon.log());
  const flood = (await noticesOf('flood')).find(({ kind }) => kind === 'flood');
  t.match(flood, { kind: 'flood', message: /far more than fps \(5\)/ });
  t.match(
    (await noticesOf('inbox')).find(({ kind }) => kind === 'old'),
    { count: 1, message: /yesterday\.jpg/ },
  );

  const status = await command(folder, file, 'status');
  t.match(status.stdout, /refused, \d+×, the last at .*HEIC/i);
  t.match(status.stdout, /old, 1×, .*yesterday\.jpg/);
  t.match(status.stdout, /flood, \d+×/);
  const { stdout } = await command(folder, file, 'status', '--json');
  t.match(JSON.parse(stdout).running.cameras[1].notices[0], { since: /^\d{4}-/, last: /^\d{4}-/ });

  const health = () => JSON.parse(listener.values.get('mobilenetd/board/health') ?? '{}');
  await listener.say('request/health', '{"transaction":"1"}');
  t.ok(
    await eventually(() => {
      const answer = JSON.parse(listener.values.get('mobilenetd/board/response/health') ?? '{}');
      const cameras = answer.health?.cameras ?? health().cameras;
      return cameras?.show?.notices?.[0]?.kind === 'refused';
    }),
  );

  const logged = (pattern: RegExp) => daemon.log().match(pattern)?.length ?? 0;
  t.equal(logged(/left out: [^"]*IMG_1\.heic/g), 1, 'a looping folder names it once');
  t.equal(logged(/left out: [^"]*IMG_2\.HEIC/g), 1);
  t.equal(logged(/left out: [^"]*pictures\/(?!IMG)[^"]*heic/g), 1, 'a name that is no UTF-8');
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});
