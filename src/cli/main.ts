#!/usr/bin/env node
import { codedError, messageOf } from '../errors.js';
import { backgroundClock } from '../time.js';
import type { CommandEntry } from './command.js';
import { versionText } from './commit.js';
import { isDebug, reportError, writeLine } from './output.js';

const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'run',
    summary: 'run the daemon',
    runsNetworks: true,
    load: () => import('./run.js'),
  },
  {
    name: 'demo',
    summary: 'watch it work: a drawn camera, a broker and a database, nothing to set up',
    runsNetworks: true,
    load: () => import('./demo.js'),
  },
  {
    name: 'setup',
    summary: 'ask what is wanted, try it, and write the configuration',
    load: () => import('./setup.js'),
  },
  {
    name: 'once',
    summary: 'look for some seconds, publish what was seen, and exit',
    runsNetworks: true,
    load: () => import('./once.js'),
  },
  {
    name: 'status',
    summary: 'ask the running daemon how it is',
    readsConfig: false,
    load: () => import('./status.js'),
  },
  {
    name: 'ctl',
    summary: 'tell the running daemon something: log-level, reload, reset',
    load: () => import('./ctl.js'),
  },
  {
    name: 'doctor',
    summary: 'find out what this board has and lacks',
    load: () => import('./doctor.js'),
  },
  {
    name: 'config',
    summary: 'show the effective configuration, or check it',
    load: () => import('./config.js'),
  },
  {
    name: 'models',
    summary: 'list, install and remove models',
    runsNetworks: true,
    load: () => import('./models.js'),
  },
  {
    name: 'service',
    summary: 'install or remove the systemd service of an installation by npm',
    readsConfig: false,
    load: () => import('./service.js'),
  },
  {
    name: 'classify',
    summary: 'say what pictures show',
    runsNetworks: true,
    load: () => import('./classify.js'),
  },
  {
    name: 'detect',
    summary: 'find the objects in pictures',
    runsNetworks: true,
    load: () => import('./detect.js'),
  },
  {
    name: 'teach',
    summary: 'teach a new label from a few pictures',
    runsNetworks: true,
    load: () => import('./teach.js'),
  },
  {
    name: 'query',
    summary: 'show what was seen, from the database',
    load: () => import('./query.js'),
  },
  {
    name: 'events',
    summary: 'show events, and the pictures that belong to them',
    load: () => import('./events.js'),
  },
  {
    name: 'export',
    summary: 'write what was seen to a CSV, JSON-lines or SQLite file',
    load: () => import('./export.js'),
  },
  {
    name: 'wrong',
    summary: 'call an event a false alarm, so that it does not come again',
    load: () => import('./wrong.js'),
  },
  {
    name: 'forget',
    summary: 'remove what was seen, by time or label',
    load: () => import('./forget.js'),
  },
  {
    name: 'notify',
    summary: 'list the rules of notifications, or try one',
    load: () => import('./notify.js'),
  },
  {
    name: 'backup',
    summary: 'copy the database while the daemon runs',
    load: () => import('./backup.js'),
  },
  {
    name: 'bench',
    summary: 'measure the whole frame path on this board, stage by stage',
    runsNetworks: true,
    load: () => import('./bench.js'),
  },
  {
    name: 'completion',
    summary: 'print the script by which bash or zsh complete command lines',
    load: () => import('./completion.js'),
  },
  {
    name: 'simulate',
    summary: 'try the thermal governor on simulated boards',
    readsConfig: false,
    load: () => import('./simulate.js'),
  },
];

process.stderr.on('error', () => {});
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of a pipe may go away; process-context.ts ends the command then.
  if (error.code === 'EPIPE') return;
  endFor(
    codedError('MND_OUTPUT_FAILED', {
      subject: 'standard output',
      found: messageOf(error),
      next: 'what was written so far is not complete',
      cause: error,
    }),
  );
});
process.on('uncaughtException', endFor);

function endFor(error: unknown): void {
  const debug = process.argv.includes('--debug') || isDebug(process.env);
  process.exit(reportError(error, { stderr: process.stderr, debug }));
}

const args = process.argv.slice(2);
if (args.length === 1 && ['-V', '--version'].includes(args[0] ?? '')) {
  // What package scripts ask again and again needs no parser.
  writeLine(process.stdout, versionText());
} else {
  const { runProgram } = await import('./program.js');
  process.exitCode = await runProgram({
    args,
    commands: COMMANDS,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    context: async (options, readsConfig) => {
      const { processContext } = await import('./process-context.js');
      const load = readsConfig ? (await import('../config/load.js')).loadConfig : null;
      return processContext(options, load);
    },
  });
}

// A command has closed what it opened; a handle that was forgotten must not keep a script waiting.
backgroundClock.setTimer(() => process.exit(), 5_000);
