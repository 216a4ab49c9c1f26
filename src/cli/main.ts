#!/usr/bin/env node
import type { CommandEntry } from './command.js';
import { reportError } from './output.js';
import { isDebug, runProgram } from './program.js';

const COMMANDS: readonly CommandEntry[] = [
  { name: 'run', summary: 'run the daemon', load: () => import('./run.js') },
  {
    name: 'demo',
    summary: 'watch it work: a drawn camera, a broker and a database, nothing to set up',
    load: () => import('./demo.js'),
  },
  {
    name: 'config',
    summary: 'show the effective configuration, or check it',
    load: () => import('./config.js'),
  },
  {
    name: 'models',
    summary: 'list, install and remove models',
    load: () => import('./models.js'),
  },
  {
    name: 'service',
    summary: 'install or remove the systemd service of an installation by npm',
    load: () => import('./service.js'),
  },
  { name: 'classify', summary: 'say what pictures show', load: () => import('./classify.js') },
  { name: 'detect', summary: 'find the objects in pictures', load: () => import('./detect.js') },
  {
    name: 'query',
    summary: 'show what was seen, from the database',
    load: () => import('./query.js'),
  },
  {
    name: 'bench',
    summary: 'measure the whole frame path on this board, stage by stage',
    load: () => import('./bench.js'),
  },
  {
    name: 'simulate',
    summary: 'try the thermal governor on simulated boards',
    load: () => import('./simulate.js'),
  },
];

process.stderr.on('error', () => {});
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of a pipe may go away; process-context.ts ends the command then.
  if (error.code !== 'EPIPE') throw error;
});
process.on('uncaughtException', (error) => {
  const debug = process.argv.includes('--debug') || isDebug(process.env);
  process.exit(reportError(error, { stderr: process.stderr, debug }));
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
