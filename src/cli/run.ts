import { once } from 'node:events';
import { describeProblem } from '../config/check/problem.js';
import { loadConfig } from '../config/load.js';
import type { Register } from './command.js';
import { requireCamera } from './require-camera.js';

/** Longest time a stop may take before the process ends anyway, ms; systemd asks for SIGKILL later. */
const STDERR = 2;
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
      let reload = () => {};
      let asked = false;
      // A signal that comes while this starts is kept until it has: by default it ends a process.
      process.on('SIGHUP', () => {
        asked = true;
        reload();
      });
      // Before the rest: a bad configuration is told before anything heavy is loaded.
      const { config, warnings } = loadConfig(context.configOptions());
      requireCamera(config);
      const { signal } = context;
      const { createLevelSwitch, createLog } = await import('../daemon/diagnostics/log.js');
      const { goesToJournal } = await import('../daemon/diagnostics/journal.js');
      const { keepCrashReports } = await import('../daemon/diagnostics/crash.js');
      const { answerHeapSignal } = await import('../daemon/diagnostics/heap-snapshot.js');
      const { LogTail } = await import('../daemon/diagnostics/log-tail.js');
      const { inspectionOf } = await import('./inspection.js');
      const { secretsOf } = await import('../config/check/secrets.js');
      const { App } = await import('../daemon/app.js');
      const { createNotifier, watchdogMs } = await import('../systemd/notify.js');
      const secrets = new Set(secretsOf(config));
      const logLevel = createLevelSwitch(config.log.level);
      const tail = new LogTail();
      const log = createLog({
        ...config.log,
        tail,
        level: logLevel,
        destination: context.stderr,
        journal: goesToJournal(context.env, STDERR),
        env: context.env,
        secrets: () => [...secrets],
      });
      const { crash_reports: reports, heap_snapshots: snapshots } = config.diagnostics;
      const endReports = keepCrashReports({
        stateDir: config.state_dir,
        keep: reports,
        secrets: () => [...secrets],
      });
      for (const warning of warnings) log.warn(`configuration: ${describeProblem(warning)}`);
      const endSnapshots = answerHeapSignal({
        stateDir: config.state_dir,
        enabled: snapshots,
        log,
      });
      const notifier = createNotifier({
        env: context.env,
        onError: (error) => log.warn(error.message),
      });
      const load = () => {
        const next = context.loadConfig();
        for (const secret of secretsOf(next)) secrets.add(secret);
        return next;
      };
      const daemon = new App({
        config,
        load,
        env: context.env,
        log,
        logLevel,
        inspection: inspectionOf(context, tail, () => loadConfig(context.configOptions())),
        signal,
        service: {
          notifier,
          watchdogMs: watchdogMs(context.env),
          // Commander reads `--no-camera-ok` as "cameraOk is false": no camera is fine, too.
          readyWithoutFrame: !options.cameraOk,
        },
        onProgress: (text) => void notifier.report({ status: text }),
      });
      // A start that is under way takes another configuration at once.
      reload = () => void daemon.reload();
      if (asked) reload();
      await daemon.start();
      try {
        if (!signal.aborted) await once(signal, 'abort');
      } finally {
        reload = () => {};
        await notifier.stopping();
        await daemon.stop(STOP_DEADLINE_MS);
        endSnapshots();
        endReports();
      }
    });
};
