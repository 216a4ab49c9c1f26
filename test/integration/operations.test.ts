import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { askDaemon } from '#mobilenetd/control/client.js';
import type { StatusReport } from '#mobilenetd/control/protocol.js';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/embedded.js';
import {
  configOf,
  eventually,
  MAIN,
  preparePictures,
  runDaemon,
  subscriber,
  writeConfig,
} from './daemon-process.js';
import { installRandomModel } from './demo-process.js';

/** A state folder with a model; its path is short, for the control socket is in it. */
async function home(t: Test): Promise<{ folder: string; pictures: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  await installRandomModel(folder);
  return { folder, pictures: await preparePictures(folder) };
}

async function broker(t: Test) {
  const started = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  t.teardown(() => started.close());
  const listener = await subscriber(started.url);
  t.teardown(() => listener.end());
  return { url: started.url, listener };
}

/** Runs a command against the state folder, without holding up this process: a broker is in it. */
async function command(folder: string, config: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, '--config', config, ...args], {
    env: { PATH: process.env.PATH, HOME: folder, MOBILENETD_STATE: folder },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [status] = await once(child, 'close');
  return { status, stdout, stderr };
}

async function report(folder: string): Promise<StatusReport> {
  const sockets = [join(folder, 'control.sock')];
  return (await askDaemon({ verb: 'status' }, { sockets })) as StatusReport;
}

t.test('status, log levels and a lock, before, while and after a daemon runs', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const secret = url.replace('mqtt://', 'mqtt://me:hunter2@');
  const config = writeConfig(folder, { url: secret, cameras: ['front', 'back'], pictures });
  const early = await command(folder, config, 'status');
  t.equal(early.status, 69);
  t.match(early.stderr, /MND_CONTROL_UNAVAILABLE: no running daemon answers.*systemctl start/);

  const daemon = runDaemon(folder, config);
  t.ok(await listener.until('back/status', 'online'), daemon.log());
  const socket = join(folder, 'control.sock');
  t.equal(statSync(socket).mode & 0o777, 0o660);
  t.ok(await eventually(() => listener.values.has('mobilenetd/board/front/labels')));
  const json = await command(folder, config, 'status', '--json');
  const found: StatusReport = JSON.parse(json.stdout);
  t.match(found, {
    pid: daemon.child.pid,
    node: 'board',
    state_dir: folder,
    ready: true,
    log_level: 'info',
    running: {
      model: { name: 'random_v1' },
      governor: null,
      broker: { url, embedded: false, connected: true },
      outbox: Number,
      cameras: [
        { name: 'front', status: 'online', fps: 10 },
        { name: 'back', status: 'online' },
      ],
    },
  });
  t.ok((found.running?.fps ?? 0) > 0);
  const text = await command(folder, config, 'status');
  t.equal(text.status, 0, text.stderr);
  t.match(text.stdout, /^camera front {2}online \(asked for 10 fps/m);
  t.match(text.stdout, /^broker {8}mqtt:\/\/127\.0\.0\.1:\d+, connected$/m);
  t.notMatch(text.stdout + JSON.stringify(found), /hunter2/);

  await listener.say('front/detect/set', 'OFF');
  t.ok(await listener.until('front/status', 'disabled'));
  t.match((await report(folder)).running?.cameras[0], {
    status: 'disabled',
    reason: 'switched off by detect/set',
  });

  t.match(await command(folder, config, 'ctl', 'log-level'), { status: 0, stdout: 'info\n' });
  t.match(await command(folder, config, 'ctl', 'log-level', 'error'), { stdout: 'error\n' });
  const before = daemon.log().length;
  await listener.say('front/detect/set', 'ON');
  t.ok(await listener.until('front/status', 'online'));
  t.equal(daemon.log().slice(before), '', 'a logger that was made before is silent, too');
  t.match(await command(folder, config, 'ctl', 'log-level', 'loud'), { status: 64 });

  const second = spawnSync(process.execPath, [MAIN, 'run', '--config', config], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, MOBILENETD_STATE: folder },
  });
  t.equal(second.status, 69);
  const locked = new RegExp(`MND_STATE_LOCKED: .*found process ${daemon.child.pid}; stop that one`);
  t.match(second.stderr, locked);
  t.match(await report(folder), { pid: daemon.child.pid }, 'the first one has not noticed');

  await daemon.end('SIGKILL');
  t.ok(existsSync(socket), 'a killed daemon leaves its socket');
  const dead = await command(folder, config, 'status');
  t.match(dead, { status: 69, stderr: /left behind by a daemon that is gone/ });
  listener.values.clear();
  const third = runDaemon(folder, config);
  t.ok(await listener.until('front/status', 'online'), third.log());
  t.match(await report(folder), { pid: third.child.pid });
  t.equal((await third.end('SIGTERM')).code, 0, third.log());
  t.notOk(existsSync(socket));
});

t.test('a daemon in trouble: exit status 1, and why', async (t) => {
  const { folder } = await home(t);
  const config = writeConfig(folder, {
    url: 'mqtt://127.0.0.1:9',
    cameras: ['front'],
    pictures: join(folder, 'nowhere'),
  });
  const daemon = runDaemon(folder, config);
  t.ok(await eventually(() => existsSync(join(folder, 'control.sock'))), daemon.log());
  t.ok(await eventually(() => /camera offline/.test(daemon.log())), daemon.log());
  const status = await command(folder, config, 'status');
  t.equal(status.status, 1);
  t.match(status.stdout, /^camera front {2}offline: .*nowhere/m);
  t.match(status.stdout, /^broker .*NOT connected$/m);
  t.equal((await daemon.end('SIGTERM')).code, 0);
});

t.test('a reload touches what changed, and says what needs a restart', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const parts = { url, cameras: ['front'], pictures };
  const config = writeConfig(folder, parts);
  const daemon = runDaemon(folder, config);
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  const statuses: string[] = [];
  listener.client.on('message', (topic, payload) => {
    if (topic.endsWith('/front/status')) statuses.push(payload.toString());
  });
  /** What the daemon answers: what was done, or the code and message of a refusal. */
  const reload = async (more: Readonly<Record<string, object>>) => {
    writeConfig(folder, { ...parts, more });
    const sockets = [join(folder, 'control.sock')];
    return askDaemon({ verb: 'reload' }, { sockets, timeout: 20_000 }).catch((error) => error);
  };

  const homes = new Map<string, string>();
  listener.client.on('message', (topic, payload) => homes.set(topic, payload.toString()));
  await listener.client.subscribeAsync(['homeassistant/#', 'elsewhere/#']);
  t.ok(
    await eventually(() =>
      [...homes.keys()].some((topic) => topic.startsWith('homeassistant/device/')),
    ),
  );
  const discovery =
    [...homes.keys()].find((topic) => topic.startsWith('homeassistant/device/')) ?? '';

  t.match(await reload({}), { done: 'nothing has changed' });
  t.match(await reload({ log: { level: 'debug' } }), {
    done: 'changed: log (the rest ran on)',
  });
  t.equal((await report(folder)).log_level, 'debug');
  t.match(await reload({ governor: { margin: 3 } }), { done: /^changed: governor/ });
  t.match(await reload({ governor: { margin: 3 }, homeassistant: { prefix: 'elsewhere' } }), {
    done: 'changed: homeassistant (the rest ran on)',
  });
  const moved = discovery.replace('homeassistant/', 'elsewhere/');
  t.ok(await eventually(() => homes.has(moved)), 'the entities have moved');
  t.ok(await eventually(() => homes.get(discovery) === ''), 'the old ones are gone');
  t.match(await reload({ governor: { margin: 3 }, homeassistant: { enabled: false } }), {
    done: /homeassistant/,
  });
  t.ok(await eventually(() => homes.get(moved) === ''));
  t.same(statuses, [], 'the camera has not noticed any of it');

  t.match(
    await reload({ presence: { enter: 0.35, stay: 0.1 } }),
    { code: 'MND_CONFIG_INVALID' },
    'twice in the file',
  );
  const kept = await reload({ diagnostics: { crash_reports: 7 } });
  t.match(kept.done, /needs a restart of the program to take effect: diagnostics \(sudo systemctl/);
  const bad = await reload({ governor: { limit: 41, margin: 5 } });
  t.match(bad, { code: 'MND_CONFIG_INVALID', message: /limit − margin/ });
  t.match((await report(folder)).running, { cameras: [{ status: 'online' }] });

  statuses.length = 0;
  t.match(await reload({ store: { commit_interval: 3 } }), { done: /everything started anew/ });
  t.ok(await listener.until('front/status', 'online'));
  t.ok(statuses.includes('offline'));
  t.match(await report(folder), { pid: daemon.child.pid, running: { cameras: [{}] } });

  await listener.say('front/detect/set', 'OFF');
  t.ok(await listener.until('front/status', 'disabled'));
  await listener.say('front/detect/set', 'ON');
  t.ok(await listener.until('front/status', 'online'), 'commands are listened to as before');
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

t.test('a reload that cannot run goes back, and says so', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const config = writeConfig(folder, { url, cameras: ['front'], pictures });
  const daemon = runDaemon(folder, config);
  t.ok(await listener.until('front/status', 'online'), daemon.log());
  // The port of the test's own broker is taken.
  const listen = new URL(url).host;
  writeFileSync(config, configOf({ cameras: ['front'], pictures, mqtt: { embedded: { listen } } }));
  const refused = await command(folder, config, 'ctl', 'reload');
  t.equal(refused.status, 69);
  t.match(refused.stderr, /MND_MQTT_LISTEN/);
  t.ok(await listener.until('front/status', 'online'), 'what ran before runs again');
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

t.test('backup while the daemon runs, and SIGUSR2 does no harm', async (t) => {
  const { folder, pictures } = await home(t);
  const { url, listener } = await broker(t);
  const config = writeConfig(folder, { url, cameras: ['front'], pictures });
  const daemon = runDaemon(folder, config);
  t.ok(await eventually(() => listener.values.has('mobilenetd/board/front/events')), daemon.log());
  daemon.child.kill('SIGUSR2');
  const copy = join(folder, 'copy.db');
  const saved = await command(folder, config, 'backup', copy, '--json');
  t.equal(saved.status, 0, saved.stderr);
  t.match(JSON.parse(saved.stdout), { file: copy, events: Number });
  t.ok(readFileSync(copy).subarray(0, 15).equals(Buffer.from('SQLite format 3')));
  t.match(await command(folder, config, 'backup', copy), { status: 1, stderr: /--force/ });
  t.ok(await eventually(() => /heap snapshots are off/.test(daemon.log())));
  t.equal(daemon.child.exitCode, null);
  await delay(0);
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});
