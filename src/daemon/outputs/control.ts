import type { Config } from '../../config/config.js';
import type { ControlRequest, RunningReport, StatusReport } from '../../control/protocol.js';
import { codedError } from '../../errors.js';
import { VERSION } from '../../package-root.js';
import { type LevelSwitch, LOG_LEVELS, type Log } from '../diagnostics/log.js';

export interface ControlHandlerOptions {
  readonly config: () => Config;
  readonly ready: () => boolean;
  /** Null while everything starts anew. */
  readonly running: () => RunningReport | null;
  /** Resolves with what was done, in words; rejects when the configuration is refused. */
  readonly reload: () => Promise<string>;
  readonly logLevel: LevelSwitch | null;
  readonly log: Log;
}

/** Answers what comes in on the control socket. */
export function controlHandler(
  options: ControlHandlerOptions,
): (request: ControlRequest) => Promise<object> {
  return async (request) => {
    switch (request.verb) {
      case 'status':
        return status(options);
      case 'reload':
        return { done: await options.reload() };
      case 'log-level':
        return setLevel(request.level, options);
    }
  };
}

function status({ config, ready, running, logLevel }: ControlHandlerOptions): StatusReport {
  const { node, state_dir, log } = config();
  return {
    version: VERSION,
    pid: process.pid,
    node,
    state_dir,
    uptime_s: Math.round(process.uptime()),
    ready: ready(),
    log_level: logLevel?.get() ?? log.level,
    rss_mb: Math.round(process.memoryUsage.rss() / 1e5) / 10,
    running: running(),
  };
}

function setLevel(level: string | null, { logLevel, log }: ControlHandlerOptions): object {
  if (level === null) return { level: logLevel?.get() ?? null };
  const next = LOG_LEVELS.find((known) => known === level);
  if (next === undefined || logLevel === null) {
    throw codedError('MND_CONTROL_REQUEST', {
      subject: 'log level',
      expected: logLevel === null ? 'a daemon whose level can change' : LOG_LEVELS.join(', '),
      found: JSON.stringify(level.slice(0, 40)),
    });
  }
  log.info(`log level: ${next}, until the next reload or restart`);
  logLevel.set(next);
  return { level: next };
}
