import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { StatusReport } from '#mobilenetd/control/report.js';
import { eventually } from '../eventually.js';
import { broker, command, home, report } from '../integration/daemon-home.js';
import { MAIN, runDaemon, writeConfig } from '../integration/daemon-process.js';

t.setTimeout(600_000);

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
  t.match(text.stdout, /^camera front {2}online, sees .*\(10 fps asked for/m);
  t.match(text.stdout, /^broker {8}mqtt:\/\/127\.0\.0\.1:\d+, connected$/m);
  t.notMatch(text.stdout + JSON.stringify(found), /hunter2/);

  await listener.say('front/detect/set', 'OFF');
  t.ok(await listener.until('front/status', 'disabled'));
  t.match((await report(folder)).running?.cameras[0], {
    status: 'disabled',
    reason: 'switched off by a command',
  });

  t.match(await command(folder, config, 'ctl', 'log-level'), { status: 0, stdout: 'info\n' });
  t.match(await command(folder, config, 'ctl', 'log-level', 'error'), { stdout: 'error\n' });
  const loud = await command(folder, config, 'status');
  const words = loud.stdout.replace(/\s+/g, ' ');
  t.match(
    words,
    'log level error (set by hand until the next reload; the configuration says info)',
  );
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
  // It is asked when it has begun with everything: the camera fails before that.
  const isInTrouble = async () => {
    const running = (await report(folder).catch(() => null))?.running;
    return /nowhere/.test(running?.cameras[0]?.reason ?? '') && running?.broker.fault != null;
  };
  t.ok(await eventually(isInTrouble), daemon.log());
  const status = await command(folder, config, 'status');
  t.equal(status.status, 1);
  t.match(status.stdout, /^camera front {2}offline: .*nowhere/m);
  t.match(status.stdout, /^broker .*NOT connected: nothing listens at this address$/m);
  t.equal((await daemon.end('SIGTERM')).code, 0);
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
  t.equal((await daemon.end('SIGTERM')).code, 0, daemon.log());
});

t.test('a page whose address is taken is said to be none, and why, until it is free', async (t) => {
  const { folder, pictures } = await home(t);
  const { url } = await broker(t);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.teardown(() => other.close());
  const listen = `127.0.0.1:${(other.address() as AddressInfo).port}`;
  const more = { status: { listen } };
  const config = writeConfig(folder, { cameras: ['front'], pictures, url, more });
  const daemon = runDaemon(folder, config);
  t.teardown(() => daemon.end('SIGTERM'));
  const running = async () => (await report(folder).catch(() => null))?.running;
  t.ok(await eventually(async () => (await running())?.page_error != null), daemon.log());
  const words = async (name: string) =>
    (await command(folder, config, name)).stdout.replace(/\s+/g, ' ');
  t.match(await words('status'), `page NONE: status.listen ${listen}: the page cannot listen`);
  t.match(await words('doctor'), /page .*cannot listen.* has no page; it tries again by itself/);
  other.close();
  t.ok(await eventually(async () => (await running())?.page === `http://${listen}/`));
  t.match(await words('status'), `page http://${listen}/`);
});
