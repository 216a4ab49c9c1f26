import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  crashFolder,
  crashReports,
  keepCrashReports,
} from '#mobilenetd/daemon/diagnostics/crash.js';
import { answerHeapSignal } from '#mobilenetd/daemon/diagnostics/heap-snapshot.js';
import { codedError } from '#mobilenetd/errors.js';

t.test('the newest reports are kept, masked and for the owner alone', async (t) => {
  const stateDir = t.testdir();
  const fake = new EventEmitter() as unknown as NodeJS.Process;
  let now = Date.parse('2026-05-01T12:00:00Z');
  const end = keepCrashReports({
    stateDir,
    keep: 3,
    secrets: () => ['hunter2'],
    process: fake,
    now: () => (now += 1000),
  });
  const cause = new Error('refused mqtt://me:other@broker');
  const error = codedError('MND_INTERNAL', { found: 'hunter2 in a message', cause });
  for (let n = 0; n < 5; n += 1) {
    fake.emit('uncaughtExceptionMonitor' as never, error as never, 'unhandledRejection' as never);
  }
  const [latest = '', ...others] = crashReports(stateDir);
  t.equal(others.length, 2);
  t.equal(latest, '2026-05-01T12-00-05.000Z.json');
  const file = join(crashFolder(stateDir), latest);
  t.equal(statSync(file).mode & 0o777, 0o600);
  const text = readFileSync(file, 'utf8');
  t.notMatch(text, /hunter2|other@/);
  t.match(JSON.parse(text), {
    origin: 'unhandledRejection',
    code: 'MND_INTERNAL',
    error: /\*+ in a message/,
    stacks: [/in a message/, /refused mqtt:\/\/\*+@broker/],
  });
  t.notOk(text.includes(process.cwd()), 'the folders of this machine are left out');
  end();
  fake.emit('uncaughtExceptionMonitor' as never, error as never, 'x' as never);
  t.equal(crashReports(stateDir).length, 3, 'no longer watched');
});

t.test('none are kept when none are wanted, and a disk that refuses hides nothing', async (t) => {
  const stateDir = t.testdir({ crashes: 'a file' });
  const fake = new EventEmitter() as unknown as NodeJS.Process;
  for (const keep of [0, 3]) keepCrashReports({ stateDir, keep, secrets: () => [], process: fake });
  fake.emit('uncaughtExceptionMonitor' as never, 'text' as never, 'x' as never);
  t.same(crashReports(stateDir), []);
});

t.test('a real process: the report is written, and the process ends as it would', async (t) => {
  const stateDir = t.testdir();
  const script = `
    const { keepCrashReports } = await import(${JSON.stringify(`${process.cwd()}/dist/daemon/diagnostics/crash.js`)});
    keepCrashReports({ stateDir: ${JSON.stringify(stateDir)}, keep: 2, secrets: () => [] });
    Promise.reject(new Error('nobody listened'));`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  t.equal(status, 1);
  t.match(stderr, /nobody listened/);
  const [name = ''] = crashReports(stateDir);
  const report = JSON.parse(readFileSync(join(crashFolder(stateDir), name), 'utf8'));
  t.match(report, { origin: 'unhandledRejection', error: 'nobody listened', code: null });
});

t.test('SIGUSR2: a snapshot where that is switched on, else a line in the log', async (t) => {
  const stateDir = t.testdir();
  const fake = new EventEmitter() as unknown as NodeJS.Process;
  const lines: string[] = [];
  const log = {
    info: (line: string) => lines.push(line),
    warn: (line: string) => lines.push(line),
  };
  const off = answerHeapSignal({ stateDir, enabled: false, log, process: fake });
  fake.emit('SIGUSR2', 'SIGUSR2');
  t.match(lines, [/heap snapshots are off \(diagnostics\.heap_snapshots\)/]);
  off();
  let now = Date.parse('2026-05-01T12:00:00Z');
  answerHeapSignal({
    stateDir,
    enabled: true,
    log,
    process: fake,
    now: () => (now += 1000),
    write: (file) => writeFileSync(file, 'heap', { mode: 0o644 }),
  });
  for (let n = 0; n < 4; n += 1) fake.emit('SIGUSR2', 'SIGUSR2');
  t.equal(lines.length, 5);
  const last = join(stateDir, '2026-05-01T12-00-04.000Z.heapsnapshot');
  t.match(lines.at(-1), last);
  t.equal(statSync(last).mode & 0o777, 0o600);
  t.throws(() => statSync(join(stateDir, '2026-05-01T12-00-02.000Z.heapsnapshot')));
  mkdirSync(join(stateDir, 'gone'));
  answerHeapSignal({ stateDir: join(stateDir, 'none'), enabled: true, log, process: fake });
  fake.emit('SIGUSR2', 'SIGUSR2');
  t.match(lines.at(-1), /no heap snapshot/);
});
