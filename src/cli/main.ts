#!/usr/bin/env node
import type { CommandEntry } from './command.js';
import { reportError } from './output.js';
import { runProgram } from './program.js';

const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'config',
    summary: 'show the effective configuration, or check it',
    load: () => import('./config.js'),
  },
];

process.stderr.on('error', () => {});
process.on('uncaughtException', (error) => {
  process.exit(reportError(error, { stderr: process.stderr, debug: true }));
});

process.exitCode = await runProgram({
  args: process.argv.slice(2),
  commands: COMMANDS,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  context: async (options) => (await import('./process-context.js')).processContext(options),
});

// A command has closed what it opened; a handle that was forgotten must not keep a script waiting.
setTimeout(() => process.exit(), 5_000).unref();
