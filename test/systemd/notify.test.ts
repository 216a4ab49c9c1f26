import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { createNotifier, watchdogMs } from '#mobilenetd/systemd/notify.js';
import { scratchFolder } from '../scratch-folder.js';

const socket = { NOTIFY_SOCKET: '/run/systemd/notify' };

t.test('is silent when no service manager listens', async (t) => {
  const notifier = createNotifier({
    env: {},
    run: async () => {
      throw new Error('must not be called');
    },
    onError: (error) => t.fail(error.message),
  });
  t.equal(await notifier.ready(), false);
  t.equal(await notifier.report({ status: 'anything', alive: true }), false);
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
  t.equal(await notifier.ready(), true);
  await notifier.report({ status: 'two\nlines' });
  await notifier.reloading();
  await notifier.report({ alive: true, status: 'fine' });
  await notifier.report({ extendS: 30 });
  await notifier.report({});
  await notifier.stopping();
  const pid = `--pid=${process.pid}`;
  t.same(calls, [
    [pid, 'READY=1'],
    [pid, 'STATUS=two lines'],
    [pid, 'RELOADING=1', 'MONOTONIC_USEC=42'],
    [pid, 'WATCHDOG=1', 'STATUS=fine'],
    [pid, 'EXTEND_TIMEOUT_USEC=30000000'],
    [pid, 'STOPPING=1'],
  ]);
});

t.test('tells of a failure once, and tries again', async (t) => {
  const errors: string[] = [];
  const statuses = [1, 1, 0, 1];
  const notifier = createNotifier({
    env: socket,
    run: async () => statuses.shift() ?? 0,
    onError: (error) => errors.push(error.message),
  });
  t.equal(await notifier.ready(), false);
  t.equal(await notifier.report({ alive: true }), false);
  t.equal(errors.length, 1, 'the second failure in a row is not told');
  t.equal(await notifier.report({ alive: true }), true, 'a failure does not silence it');
  t.equal(await notifier.report({ alive: true }), false);
  t.same(errors, Array(2).fill('systemd-notify ended with status 1'));
});

t.test('knows how often it must give a sign of life', async (t) => {
  const env = { ...socket, WATCHDOG_USEC: '30000000' };
  t.equal(watchdogMs(env, 7), 30_000);
  t.equal(watchdogMs({ ...env, WATCHDOG_PID: '7' }, 7), 30_000);
  t.equal(watchdogMs({ ...env, WATCHDOG_PID: '8' }, 7), null, 'another process is watched');
  t.equal(watchdogMs({ WATCHDOG_USEC: '30000000' }, 7), null, 'nobody listens');
  t.equal(watchdogMs(socket, 7), null);
  t.equal(watchdogMs({ ...socket, WATCHDOG_USEC: '0' }, 7), null);
  t.equal(watchdogMs({ ...socket, WATCHDOG_USEC: 'often' }, 7), null);
});

/** Prints datagrams that arrive at a socket, one in brackets a line; `@` stands for an abstract one. */
const RECEIVER = `
  use Socket; $| = 1;
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die $!;
  my $name = $ARGV[0]; $name =~ s/^@/\\0/;
  bind($s, pack('S a*', AF_UNIX, $name)) or die "bind: $!";
  setsockopt($s, SOL_SOCKET, 16, 1);
  print "listening\\n";
  while (defined recv($s, my $text, 4096, 0)) { $text =~ s/\\n/ | /g; print "[$text]\\n" if length $text && $text !~ m{^BARRIER}; }
`;

const tools = ['systemd-notify', 'perl'].filter(
  (name) => spawnSync(name, ['--version']).error !== undefined,
);
t.test(
  'the real systemd-notify reaches path and abstract sockets',
  { skip: tools.length === 0 ? false : `not installed: ${tools.join(', ')}` },
  async (t) => {
    const path = join(scratchFolder('notify'), 'socket');
    for (const address of [path, `@mobilenetd-test-${process.pid}`]) {
      const receiver = spawn('perl', ['-e', RECEIVER, address], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
      t.equal((await lines.next()).value, 'listening');
      const notifier = createNotifier({
        env: { PATH: process.env.PATH, NOTIFY_SOCKET: address },
        onError: (error) => t.fail(error.message),
      });
      t.equal(await notifier.ready(), true);
      t.match((await lines.next()).value, /READY=1/);
      t.equal(await notifier.report({ status: 'a · b', alive: true }), true);
      t.match((await lines.next()).value, /WATCHDOG=1 \| STATUS=a · b/);
      receiver.kill();
    }
  },
);
