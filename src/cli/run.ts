import { once } from 'node:events';
import { codedError } from '../errors.js';
import type { Register } from './command.js';

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
    .action(async (options: { readonly cameraOk: boolean }) => {
      const { signal } = context;
      const { createLog } = await import('../daemon/log.js');
      const { secretsOf } = await import('../config/secrets.js');
      const { startDaemon } = await import('../daemon/daemon.js');
      const { createNotifier, watchdogMs } = await import('../systemd/notify.js');
      const config = context.loadConfig();
      const secrets = new Set(secretsOf(config));
      const log = createLog({
        ...config.log,
        destination: context.stderr,
        secrets: () => [...secrets],
      });
      if (Object.keys(config.cameras).length === 0) {
        throw codedError('MND_CONFIG_INVALID', {
          subject: 'cameras',
          expected: 'at least one camera',
          found: 'none',
          next: 'add one, e.g. "cameras: { front: { source: demo } }", or try `mobilenetd demo`',
        });
      }
      const notifier = createNotifier({
        env: context.env,
        onError: (error) => log.warn(error.message),
      });
      const load = () => {
        const next = context.loadConfig();
        for (const secret of secretsOf(next)) secrets.add(secret);
        return next;
      };
      const daemon = await startDaemon({
        config,
        load,
        env: context.env,
        log,
        signal,
        service: {
          notifier,
          watchdogMs: watchdogMs(context.env),
          // Commander reads `--no-camera-ok` as "cameraOk is false": no camera is fine, too.
          readyWithoutFrame: !options.cameraOk,
        },
        onProgress: (text) => void notifier.report({ status: text }),
      });
      const reload = () => void daemon.reload();
      process.on('SIGHUP', reload);
      try {
        if (!signal.aborted) await once(signal, 'abort');
      } finally {
        process.off('SIGHUP', reload);
        await notifier.stopping();
        await daemon.stop(STOP_DEADLINE_MS);
      }
    });
};
