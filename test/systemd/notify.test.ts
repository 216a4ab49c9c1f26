import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { createNotifier } from '#mobilenetd/systemd/notify.js';

const socket = { NOTIFY_SOCKET: '/run/systemd/notify' };

t.test('is silent when no service manager listens', async (t) => {
  const notifier = createNotifier({
    env: {},
    run: async () => {
      throw new Error('must not be called');
    },
    onError: (error) => t.fail(error.message),
  });
  await notifier.ready();
  await notifier.status('anything');
});

t.test('names the main process and what happened', async (t) => {
  const calls: (readonly string[])[] = [];
  const notifier = createNotifier({
    env: socket,
    nowMicroseconds: () => 42n,
    run: async (file, args) => {
      t.equal(file, 'systemd-notify');
      calls.push(args);
      return 0;
    },
  });
  await notifier.ready();
  await notifier.status('two\nlines');
  await notifier.reloading();
  await notifier.watchdog();
  await notifier.stopping();
  const pid = `--pid=${process.pid}`;
  t.same(calls, [
    [pid, 'READY=1'],
    [pid, 'STATUS=two lines'],
    [pid, 'RELOADING=1', 'MONOTONIC_USEC=42'],
    [pid, 'WATCHDOG=1'],
    [pid, 'STOPPING=1'],
  ]);
});

t.test('reports a failure once and goes on', async (t) => {
  const errors: string[] = [];
  let calls = 0;
  const notifier = createNotifier({
    env: socket,
    run: async () => {
      calls += 1;
      return 1;
    },
    onError: (error) => errors.push(error.message),
  });
  await notifier.ready();
  await notifier.status('still here');
  t.equal(calls, 1);
  t.same(errors, ['systemd-notify ended with status 1']);
});

const analyze = spawnSync('systemd-analyze', ['--version']).status === 0;
t.test(
  'systemd accepts the unit',
  { skip: analyze ? false : 'systemd-analyze is not installed' },
  async (t) => {
    const unit = 'systemd/mobilenetd.service';
    t.ok(existsSync(unit));
    const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
    t.equal(verified.status, 0, verified.stderr);
    t.equal(verified.stderr, '');
    const security = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', '--threshold=25', unit],
      { encoding: 'utf8' },
    );
    t.equal(security.status, 0, 'exposure is at most 2.5');
  },
);

t.test('the unit never restarts after a bad configuration', async (t) => {
  const unit = readFileSync('systemd/mobilenetd.service', 'utf8');
  t.match(unit, /^Type=notify$/m);
  t.match(unit, /^RestartPreventExitStatus=78$/m);
  t.match(unit, /^Environment=ORT_DISABLE_TELEMETRY=1$/m);
});
