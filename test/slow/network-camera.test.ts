import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { skipWithoutFfmpeg as skip } from '../camera/ffmpeg.js';
import { encodeStream, startRtspCamera } from '../camera/rtsp-camera.js';
import { eventually } from '../eventually.js';
import { broker, home } from '../integration/daemon-home.js';
import { runDaemon } from '../integration/daemon-process.js';

const SECONDS = 60;
const PASSWORD = 'Sesam12';

t.setTimeout(500_000);

t.test(
  'an RTSP camera goes away, comes back, and hangs; another one sees none of it',
  {
    skip,
  },
  async (t) => {
    const stream = encodeStream('testsrc2=s=160x120', SECONDS, [
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '10'],
      ...['-pix_fmt', 'yuv420p', '-b:v', '200k'],
    ]);
    const camera = await startRtspCamera(stream, SECONDS);
    t.teardown(() => camera.unplug());
    const { folder, pictures } = await home(t);
    const { url, listener } = await broker(t);
    const file = join(folder, 'config.yaml');
    const address = camera.url(`viewer:${PASSWORD}@`);
    writeFileSync(
      file,
      [
        'node: board',
        'model: { task: classify, name: random_v1 }',
        `mqtt: { url: "${url}" }`,
        'cameras:',
        `  door: { source: rtsp, url: "${address}", size: [160, 120], fps: 10, stall_timeout: 4 }`,
        `  other: { source: files, path: ${pictures}, fps: 10, loop: true }`,
      ].join('\n'),
    );
    const daemon = runDaemon(folder, file);
    const labels = { door: 0, other: 0 };
    const others: number[] = [];
    listener.client.on('message', (topic) => {
      if (topic === 'mobilenetd/board/door/labels') labels.door += 1;
      if (topic !== 'mobilenetd/board/other/labels') return;
      labels.other += 1;
      others.push(performance.now());
    });
    const labelled = (): Promise<boolean> => {
      const before = labels.door;
      return eventually(() => labels.door >= before + 2);
    };
    const reason = () =>
      JSON.parse(listener.values.get('mobilenetd/board/door/status/attributes') ?? '{}').reason;

    t.ok(await listener.until('door/status', 'online'), daemon.log());
    t.ok(await labelled(), daemon.log());

    const unplugged = performance.now();
    camera.unplug();
    t.ok(await listener.until('door/status', 'offline'), daemon.log());
    t.match(reason(), /ffmpeg ended/);
    await camera.plug();
    t.ok(await listener.until('door/status', 'online'), `plugged in again. ${daemon.log()}`);
    t.ok(await labelled(), daemon.log());

    const plays = camera.plays();
    camera.hang(true);
    t.ok(await listener.until('door/status', 'offline'), `no frame for 4 s. ${daemon.log()}`);
    t.match(reason(), /MND_CAMERA_STALLED|at least every 4 s/);
    camera.hang(false);
    const away = performance.now() - unplugged;
    t.ok(await listener.until('door/status', 'online'), `it sends again. ${daemon.log()}`);
    t.ok(camera.plays() > plays, 'to a program that was started anew');
    t.ok(await labelled(), daemon.log());

    const gaps = others.slice(1).map((at, index) => at - (others[index] ?? 0));
    // As long as nothing was seen of the door: what held it up for so long held up the other as well.
    const longest = Math.max(...gaps);
    t.ok(longest < away / 2, `the other: ${longest.toFixed(0)} ms of ${away.toFixed(0)} at most`);
    const failures = daemon.log().match(/the camera failed: .*?"/g) ?? [];
    // On a busy machine it takes more than one minute.
    const minutes = 1 + Math.floor((performance.now() - unplugged) / 60_000);
    t.ok(
      failures.length > 0 && failures.length <= 3 * minutes,
      `one line a minute and kind: ${failures.join('\n')}`,
    );
    t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
    t.notMatch(daemon.log(), PASSWORD);
  },
);
