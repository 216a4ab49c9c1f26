import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import t from 'tap';
import { type ChildExit, runChild } from '#mobilenetd/camera/child/process.js';
import { createFakeClock, settle } from '../../fake-clock.js';

const never = new AbortController().signal;

/** Runs a script in another Node. */
function node(
  script: string,
  signal: AbortSignal,
  onStdout: (chunk: Uint8Array) => void = () => {},
) {
  return runChild({ command: process.execPath, args: ['-e', script], onStdout }, signal);
}

t.test('output, status and the tail of stderr of a program', async (t) => {
  let output = '';
  const exit = await node(
    'process.stdout.write("a".repeat(200000)); console.error("first\\n\\nlast"); process.exitCode = 3',
    never,
    (chunk) => {
      output += Buffer.from(chunk).toString();
    },
  );
  t.equal(output.length, 200_000, 'everything is read before the exit is reported');
  t.same(exit, {
    code: 3,
    signal: null,
    stderr: 'first\nlast',
    startError: null,
    abandoned: false,
  });
});

t.test('arguments reach the program as they are', async (t) => {
  const nasty = '$(touch /tmp/x); `id` "quoted" \'single\' && echo | * \n end';
  let output = '';
  await runChild(
    {
      command: process.execPath,
      args: ['-e', 'process.stdout.write(process.argv[1])', nasty],
      onStdout: (chunk) => {
        output += Buffer.from(chunk).toString();
      },
    },
    never,
  );
  t.equal(output, nasty);
});

t.test('stderr is bounded, in lines and as a whole', async (t) => {
  const lines: string[] = [];
  const script = `
    process.stderr.write('x'.repeat(100000) + '\\n');
    for (let i = 0; i < 5000; i += 1) process.stderr.write('line ' + i + '\\n');
  `;
  const exit = await runChild(
    {
      command: process.execPath,
      args: ['-e', script],
      onStdout: () => {},
      onStderrLine: (line) => lines.push(line),
    },
    never,
  );
  t.equal(lines.length, 5001);
  t.equal(lines[0]?.length, 500);
  t.ok(exit.stderr.length <= 2000);
  t.ok(exit.stderr.endsWith('line 4999'));
});

t.test('a program that does not exist is reported, not thrown', async (t) => {
  const run = (command: string, args: string[] = []) =>
    runChild({ command, args, onStdout: () => {} }, never);
  t.match(await run('mobilenetd-no-such-program'), { startError: { code: 'ENOENT' }, code: null });
  t.match(await run(process.execPath, ['with a \0 byte']), { startError: Error });
});

t.test('an abort interrupts the program', async (t) => {
  const ending = new AbortController();
  const exit = await node('console.log("up"); setInterval(() => {}, 1000)', ending.signal, () =>
    ending.abort(),
  );
  t.match(exit, { signal: 'SIGINT', abandoned: false });
});

t.test('an abort before the start is honoured', async (t) => {
  t.match(await node('setInterval(() => {}, 1000)', AbortSignal.abort()), { signal: 'SIGINT' });
});

t.test('a program that ignores signals is killed, step by step', async (t) => {
  const clock = createFakeClock();
  const ending = new AbortController();
  const sent: string[] = [];
  let ready = (): void => {};
  const started = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const script = `
    process.on('SIGINT', () => console.error('SIGINT'));
    process.on('SIGTERM', () => console.error('SIGTERM'));
    setInterval(() => {}, 1000);
    console.log('up');
  `;
  let heard = (_line: string): void => {};
  const exit = runChild(
    {
      command: process.execPath,
      args: ['-e', script],
      onStdout: () => ready(),
      onStderrLine: (line) => {
        sent.push(line);
        heard(line);
      },
      clock,
    },
    ending.signal,
  );
  const hears = (expected: string) =>
    new Promise<void>((resolve) => {
      heard = (line) => {
        if (line === expected) resolve();
      };
    });
  await started;
  const interrupted = hears('SIGINT');
  ending.abort();
  await interrupted;
  await clock.advance(2999);
  const terminated = hears('SIGTERM');
  await clock.advance(1);
  await terminated;
  await clock.advance(2000);
  t.match(await exit, { signal: 'SIGKILL', code: null, abandoned: false });
  t.same(sent, ['SIGINT', 'SIGTERM']);
});

/** A process that no signal ends, as one in uninterruptible sleep. */
function stuckChild() {
  const signals: string[] = [];
  const streams = { stdout: new EventEmitter(), stderr: new EventEmitter() };
  for (const stream of Object.values(streams)) Object.assign(stream, { destroy: () => {} });
  const child = Object.assign(new EventEmitter(), streams, {
    pid: 4242,
    kill: (signal: string) => signals.push(signal),
    unref: () => signals.push('unref'),
  });
  return { child: child as unknown as ChildProcess, signals };
}

t.test('a program that survives SIGKILL is left behind', async (t) => {
  const clock = createFakeClock();
  const ending = new AbortController();
  const { child, signals } = stuckChild();
  let exit: ChildExit | null = null;
  const run = runChild(
    { command: 'camera', args: [], onStdout: () => {}, spawn: () => child, clock },
    ending.signal,
  ).then((value) => {
    exit = value;
  });
  await settle();
  ending.abort();
  t.same(signals, ['SIGINT']);
  await clock.advance(3000);
  t.same(signals, ['SIGINT', 'SIGTERM']);
  await clock.advance(2000);
  t.same(signals, ['SIGINT', 'SIGTERM', 'SIGKILL']);
  t.equal(exit, null);
  await clock.advance(2000);
  await run;
  t.match(exit, { abandoned: true, code: null });
  t.same(signals, ['SIGINT', 'SIGTERM', 'SIGKILL', 'unref']);
});

t.test('a grandchild that holds the pipes open does not hold the exit back', async (t) => {
  const script = `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 900000)'], { stdio: 'inherit', detached: true });
    child.unref();
    console.log(child.pid);
    process.exit(0);
  `;
  let pid = '';
  const exit = await node(script, never, (chunk) => {
    pid += Buffer.from(chunk).toString();
  });
  t.equal(exit.code, 0);
  t.ok(process.kill(Number(pid), 'SIGKILL'), 'it still ran');
});

t.test('output after the abort is thrown away, and does not block the program', async (t) => {
  const ending = new AbortController();
  let chunksAfter = 0;
  const script = `
    process.on('SIGINT', () => {
      require('node:fs').writeSync(1, 'y'.repeat(60000));
      require('node:fs').writeSync(1, 'y'.repeat(60000));
      process.exit(0);
    });
    process.stdout.write('up');
    setInterval(() => {}, 1000);
  `;
  const exit = await runChild(
    {
      command: process.execPath,
      args: ['-e', script],
      onStdout: () => {
        if (ending.signal.aborted) chunksAfter += 1;
        ending.abort();
      },
      spawn: (command, args) => spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] }),
    },
    ending.signal,
  );
  t.equal(exit.code, 0);
  t.equal(chunksAfter, 0);
});
