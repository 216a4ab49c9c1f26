import { once } from 'node:events';
import { loadConfig } from '../config/load.js';
import type { CommandContext, Register } from './command.js';
import { requireCamera } from './require-camera.js';
import { preferSmallHeap } from './small-heap.js';

/** Longest time a stop may take before the process ends anyway, ms; systemd asks for SIGKILL later. */
const STOP_DEADLINE_MS = 5000;

export const register: Register = (program, context) => {
  program
    .command('run')
    .summary('run the daemon')
    .description(
      'Runs the daemon in the foreground until SIGTERM or SIGINT. SIGHUP reads the configuration again.',
    )
    .option(
      '--no-camera-ok',
      'tell the service manager READY without waiting for the first labelled frame',
    )
    .option('--no-guess', 'do not look for a camera or a broker that the configuration leaves open')
    .action((flags: RunFlags) => runDaemon(flags, context));
};

interface RunFlags {
  readonly cameraOk: boolean;
  readonly guess: boolean;
}

async function runDaemon(options: RunFlags, context: CommandContext): Promise<void> {
  let reload = () => {};
  let asked = false;
  // A signal that comes while this starts is kept until it has: by default it ends a process.
  process.on('SIGHUP', () => {
    asked = true;
    reload();
  });
  // Before the rest: a bad configuration is told before anything heavy is loaded.
  const plain = loadConfig(context.configOptions());
  const { isCameraFree } = await import('./guesses.js');
  if (!options.guess || !isCameraFree(plain)) requireCamera(plain.config);
  const { signal } = context;
  preferSmallHeap();
  const { inspectionOf } = await import('./inspection.js');
  const { App } = await import('../daemon/app.js');
  const { createNotifier, watchdogMs } = await import('../systemd/notify.js');
  const { guessesOf } = await import('./guess.js');
  const { openDiagnostics } = await import('./diagnostics.js');
  const diagnostics = openDiagnostics(plain, context);
  const { log, logLevel, tail } = diagnostics;
  const notifier = createNotifier({
    env: context.env,
    onError: (error) => log.warn(error.message),
  });
  const guesses = options.guess ? guessesOf(context, log) : null;
  const loaded = () => guesses?.loaded() ?? loadConfig(context.configOptions());
  if (guesses !== null) {
    void notifier.report({ status: 'looking for what is not configured …' });
    await guesses.look(signal);
    if (signal.aborted) return;
  }
  const load = () => {
    const next = loaded().config;
    diagnostics.hide(next);
    return next;
  };
  const daemon = new App({
    config: load(),
    load,
    env: context.env,
    log,
    logLevel,
    inspection: inspectionOf(context, tail, loaded, () => guesses?.found() ?? []),
    signal,
    service: {
      notifier,
      watchdogMs: watchdogMs(context.env),
      // Commander reads `--no-camera-ok` as "cameraOk is false": no camera is fine, too.
      readyWithoutFrame: !options.cameraOk,
    },
    // A service that has no model yet is not ended for it.
    isPatient: true,
    onProgress: (text) => void notifier.report({ status: text }),
  });
  // A start that is under way takes another configuration at once.
  reload = () => void daemon.reload();
  if (asked) reload();
  await daemon.start();
  // A camera that is plugged in, a broker that comes.
  void guesses?.keepLooking(() => void daemon.reload(), signal);
  try {
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    reload = () => {};
    await notifier.stopping();
    await daemon.stop(STOP_DEADLINE_MS);
    diagnostics.end();
  }
}
