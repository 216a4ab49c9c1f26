import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/broker/embedded.js';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import { lastingFolder } from '../lasting-folder.js';
import { broker, home, report } from './daemon-home.js';
import {
  configOf,
  MAIN,
  preparePictures,
  runDaemon,
  subscriber,
  writeConfig,
} from './daemon-process.js';
import { installRandomModel } from './demo-process.js';

t.setTimeout(500_000);

t.test('a bad configuration ends with 78 and all of its problems', async (t) => {
  const folder = lastingFolder(t, {
    'bad.yaml': 'presence: { enterr: 0.5, stay: 2 }\ncameras: { state: { source: demo } }\n',
  });
  const { status, stderr } = spawnSync(
    process.execPath,
    [MAIN, 'run', '--config', join(folder, 'bad.yaml')],
    { encoding: 'utf8', env: { PATH: process.env.PATH, MOBILENETD_STATE: folder } },
  );
  t.equal(status, 78);
  t.match(stderr, /MND_CONFIG_INVALID/);
  t.match(stderr, /enterr[\s\S]*enter/);
  t.match(stderr, /presence\.stay/);
  t.match(stderr, /state/);
});

t.test('no camera at all is an error that says what to write', async (t) => {
  const folder = lastingFolder(t, { 'none.yaml': 'node: board\n' });
  const { status, stderr } = spawnSync(
    process.execPath,
    [MAIN, 'run', '--no-guess', '--config', join(folder, 'none.yaml')],
    { encoding: 'utf8', env: { PATH: process.env.PATH, MOBILENETD_STATE: folder } },
  );
  t.equal(status, 78);
  t.match(stderr, /at least one camera/);
});

t.test('a label with the name of a fixed topic is refused at start', async (t) => {
  const folder = lastingFolder(t);
  await installRandomModel(folder);
  const pictures = await preparePictures(folder);
  const file = join(folder, 'config.yaml');
  const camera = `{ source: files, path: ${pictures}, labels: [left, status] }`;
  const base = configOf({ url: 'mqtt://127.0.0.1:9', cameras: [], pictures });
  writeFileSync(file, `${base}  front: ${camera}\n`);
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'run', '--config', file], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, MOBILENETD_STATE: folder },
  });
  t.equal(status, 78);
  t.match(stderr, /MND_MQTT_TOPIC: label "status"/);
});

t.test('SIGHUP adds a camera; a bad file changes nothing; SIGTERM ends it', async (t) => {
  const folder = lastingFolder(t);
  await installRandomModel(folder);
  const pictures = await preparePictures(folder);
  const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  t.teardown(() => broker.close());
  const file = join(folder, 'config.yaml');
  writeFileSync(file, configOf({ url: broker.url, cameras: ['front'], pictures }));
  const listener = await subscriber(broker.url);
  t.teardown(() => listener.end());
  const daemon = runDaemon(folder, file);
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  t.ok(await listener.until('state', 'online'));

  writeFileSync(file, configOf({ url: broker.url, cameras: ['front', 'garden'], pictures }));
  daemon.child.kill('SIGHUP');
  t.ok(await listener.until('garden/status', 'online'), 'the new camera runs');
  t.equal(listener.values.get('mobilenetd/board/front/status'), 'online');

  writeFileSync(file, 'cameras: { front: { source: nonsense } }\n');
  daemon.child.kill('SIGHUP');
  const kept = () => /the running configuration stays/.test(daemon.log());
  t.ok(await eventually(kept), daemon.log());
  t.equal(listener.values.get('mobilenetd/board/garden/status'), 'online');

  const { code } = await daemon.end('SIGTERM');
  t.equal(code, 0, daemon.log());
  t.ok(await listener.until('state', 'offline'));
  t.equal(listener.values.get('mobilenetd/board/front/status'), 'offline');
  t.equal(listener.values.get('mobilenetd/board/front/label'), 'none');
});

t.test(
  'a broker that comes late gets every event; a camera that is missing harms nobody',
  async (t) => {
    const { folder, pictures } = await home(t);
    const port = await freePort();
    const file = join(folder, 'config.yaml');
    const config = configOf({ url: `mqtt://127.0.0.1:${port}`, cameras: ['front'], pictures });
    const missing = `  gone: { source: files, path: ${join(folder, 'nowhere')}, fps: 5 }\n`;
    writeFileSync(file, config + missing);
    const daemon = runDaemon(folder, file);
    const running = async () => (await report(folder).catch(() => null))?.running;
    const waiting = async () => ((await running())?.outbox ?? 0) > 0;
    t.ok(await eventually(waiting), `it runs without a broker. ${daemon.log()}`);
    const came = Date.now();
    // Events are not retained: it comes when somebody listens.
    daemon.child.kill('SIGSTOP');
    const broker = await startEmbeddedBroker({ host: '127.0.0.1', port });
    t.teardown(() => broker.close());
    const listener = await subscriber(broker.url);
    t.teardown(() => listener.end());
    const events: { readonly camera: string; readonly start: string }[] = [];
    listener.client.on('message', (topic, payload) => {
      if (topic === 'mobilenetd/board/front/events') events.push(JSON.parse(payload.toString()));
    });
    daemon.child.kill('SIGCONT');
    t.ok(await listener.until('state', 'online'), daemon.log());
    t.equal(listener.values.get('mobilenetd/board/gone/status'), 'offline');
    t.equal(listener.values.get('mobilenetd/board/front/status'), 'online');
    t.ok(await eventually(() => events.length > 0));
    const [event] = events;
    t.equal(event?.camera, 'front');
    t.ok(Date.parse(event?.start ?? '') < came, 'the event of the time without a broker arrived');
    const { code } = await daemon.end('SIGINT');
    t.equal(code, 0, daemon.log());
  },
);

t.test('commands: a camera is switched off, and stays off over a restart', async (t) => {
  const folder = lastingFolder(t);
  await installRandomModel(folder);
  const pictures = await preparePictures(folder);
  const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  t.teardown(() => broker.close());
  const file = join(folder, 'config.yaml');
  writeFileSync(file, configOf({ url: broker.url, cameras: ['front'], pictures }));
  const listener = await subscriber(broker.url);
  t.teardown(() => listener.end());
  const { say } = listener;

  const first = runDaemon(folder, file);
  t.ok(await listener.until('front/status', 'online'), first.log());
  t.ok(await listener.until('front/detect/state', 'ON'));
  await say('front/detect/set', 'perhaps');
  await say('front/detect/set', 'OFF');
  t.ok(await listener.until('front/detect/state', 'OFF'));
  t.ok(await listener.until('front/status', 'disabled'));
  t.ok(await listener.until('front/label', 'none'));
  await say('front/threshold/set', '0.9');
  t.ok(await listener.until('front/threshold/state', '0.9'));
  await say('request/snapshot', '{"transaction":"t1","camera":"nobody"}');
  const response = 'mobilenetd/board/response/snapshot';
  t.ok(await eventually(() => listener.values.has(response)));
  const answer = JSON.parse(listener.values.get(response) ?? '{}');
  t.match(answer, { transaction: 't1', ok: false }, 'a request that cannot be met is answered');
  t.equal((await first.end('SIGTERM')).code, 0, first.log());
  t.match(first.log(), /MND_MQTT_PAYLOAD|invalid payload/, 'the invalid command was named');

  listener.values.clear();
  const second = runDaemon(folder, file);
  t.ok(await listener.until('state', 'online'), second.log());
  t.ok(await listener.until('front/detect/state', 'OFF'), 'it is still off');
  t.equal(listener.values.get('mobilenetd/board/front/threshold/state'), '0.9');
  await say('front/detect/set', 'ON');
  t.ok(await listener.until('front/status', 'online'));
  t.equal((await second.end('SIGTERM')).code, 0, second.log());
});

t.test('SIGHUP while the daemon starts is kept until it has started', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const config = writeConfig(folder, { url, cameras: ['front'], pictures });
  const daemon = runDaemon(folder, config);
  t.ok(await eventually(() => existsSync(join(folder, 'lock.db'))), daemon.log());
  daemon.child.kill('SIGHUP');
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  const read = 'configuration read again; nothing has changed';
  t.ok(await eventually(() => daemon.log().includes(read)), daemon.log());
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

t.test('a state folder that cannot be made is told, and ends the start', async (t) => {
  const { folder, pictures } = await home(t);
  const config = writeConfig(folder, { url: 'mqtt://127.0.0.1:1', cameras: ['front'], pictures });
  const daemon = runDaemon(folder, config, { MOBILENETD_STATE: '/proc/mobilenetd/state' });
  t.ok(await eventually(() => daemon.child.exitCode !== null), daemon.log());
  t.match(daemon.log(), /MND_STORE_OPEN: \/proc\/mobilenetd\/state/);
});
