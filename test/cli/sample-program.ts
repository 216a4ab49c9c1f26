/**
 * A program with commands that behave in every way a command can, run as a child process by
 * main.test.ts.
 */
import { once } from 'node:events';
import { setInterval } from 'node:timers/promises';
import type { Register } from '#mobilenetd/cli/command.js';
import { writeLine } from '#mobilenetd/cli/output.js';
import { processContext } from '#mobilenetd/cli/process-context.js';
import { runProgram } from '#mobilenetd/cli/program.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { codedError } from '#mobilenetd/errors.js';

const commands: Readonly<Record<string, Register>> = {
  wait: (program, context) =>
    program.command('wait').action(async () => {
      const { signal } = context;
      const tick = setInterval(1000, undefined, { signal });
      writeLine(context.stdout, 'ready');
      try {
        for await (const _ of tick);
      } finally {
        signal.throwIfAborted();
      }
    }),
  library: (program, context) =>
    program.command('library').action(async () => {
      const { signal } = context;
      const alive = globalThis.setInterval(() => {}, 1000);
      writeLine(context.stdout, 'ready');
      try {
        await once(new EventTarget(), 'never', { signal });
      } finally {
        clearInterval(alive);
      }
    }),
  'library-below': (program, context) =>
    program.command('library-below').action(async () => {
      const { signal } = context;
      const alive = globalThis.setInterval(() => {}, 1000);
      writeLine(context.stdout, 'ready');
      try {
        await once(new EventTarget(), 'never', { signal });
      } catch (cause) {
        throw codedError('MND_DOWNLOAD_FAILED', { found: 'it ended', cause });
      } finally {
        clearInterval(alive);
      }
    }),
  daemon: (program, context) =>
    program.command('daemon').action(async () => {
      const { signal } = context;
      const alive = globalThis.setInterval(() => {}, 1000);
      writeLine(context.stdout, 'ready');
      await once(signal, 'abort');
      clearInterval(alive);
      writeLine(context.stderr, 'stopped in order');
    }),
  deaf: (program, context) =>
    program.command('deaf').action(async () => {
      writeLine(context.stdout, 'ready');
      for await (const _ of setInterval(1000));
    }),
  flood: (program, context) =>
    program.command('flood').action(async () => {
      for await (const _ of setInterval(1)) writeLine(context.stdout, 'line');
    }),
  stream: (program, context) =>
    program.command('stream').action(async () => {
      const { signal } = context;
      while (!signal.aborted) {
        writeLine(context.stdout, 'line');
        await new Promise((resolve) => setImmediate(resolve));
      }
      writeLine(context.stderr, 'stopped in order');
    }),
  defect: (program) =>
    program.command('defect').action(async () => {
      throw new Error('cannot open rtsp://admin:hunter2@cam/1', { cause: new Error('the cause') });
    }),
  refuse: (program) =>
    program.command('refuse').action(async () => {
      throw codedError('MND_INPUT_MISSING', { subject: 'cat.jpg' });
    }),
};

process.exitCode = await runProgram({
  args: process.argv.slice(2),
  commands: Object.entries(commands).map(([name, register]) => ({
    name,
    summary: name,
    load: async () => ({ register: (program, context) => void register(program, context) }),
  })),
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  context: async (options) => processContext(options, loadConfig),
});
