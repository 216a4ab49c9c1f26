import type { LoadConfigOptions, loadConfig } from '../config/load.js';
import { systemClock } from '../time.js';
import type { CommandContext } from './command.js';
import { Interrupted } from './output.js';
import type { GlobalOptions } from './program.js';

/** A second signal within so long is taken for the first one, ms. */
const PATIENCE_MS = 2000;

/**
 * The context of a command in the real process: its streams, environment and signals.
 *
 * @param load null for commands that do without
 */
export function processContext(
  options: () => GlobalOptions,
  load: typeof loadConfig | null,
): CommandContext {
  let controller: AbortController | null = null;
  const configOptions = (flags?: Readonly<Record<string, unknown>>): LoadConfigOptions => ({
    files: options().config,
    env: process.env,
    ...(flags === undefined ? {} : { flags }),
  });
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') return;
    // The reader has seen enough (`| head`): no failure. Without a signal there is nothing to end.
    if (controller === null) process.exit(0);
    controller.abort(new Interrupted('stdout was closed', 0));
  });
  return {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    get signal() {
      controller ??= abortOnSignals();
      return controller.signal;
    },
    get debug() {
      return options().debug;
    },
    configOptions,
    loadConfig(flags) {
      if (load === null) throw new Error('readsConfig is false for this command (main.ts)');
      return load(configOptions(flags)).config;
    },
  };
}

function abortOnSignals(): AbortController {
  const controller = new AbortController();
  let since = 0;
  const end = (name: 'SIGINT' | 'SIGTERM', exitCode: number) => {
    if (!controller.signal.aborted) {
      since = systemClock.now();
      controller.abort(new Interrupted(name, exitCode));
      return;
    }
    // A key that bounces, or a manager that sends two, must not cut short what is being put in order;
    // later a second signal means that the user will not wait any longer.
    if (systemClock.now() - since >= PATIENCE_MS) process.exit(exitCode);
  };
  process.on('SIGINT', () => {
    // A terminal writes ^C where the next line would begin; not one that a prompt reads key by key.
    if (process.stderr.isTTY && process.stdin.isRaw !== true) process.stderr.write('\n');
    end('SIGINT', 130);
  });
  process.on('SIGTERM', () => end('SIGTERM', 143));
  return controller;
}
