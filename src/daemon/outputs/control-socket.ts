import type { ControlRequest, TeachRequest } from '../../control/protocol.js';
import type { StatusReport } from '../../control/report.js';
import { startControlServer } from '../../control/server.js';
import { controlSocket } from '../../control/socket.js';
import { codedError, messageOf } from '../../errors.js';
import { VERSION } from '../../package-root.js';
import type { Context } from '../context.js';
import { LOG_LEVELS } from '../diagnostics/log.js';
import type { StopOutput } from './output.js';
import { runningReport, type StatusSources } from './status.js';

type Using = Pick<Context, 'config' | 'daemon' | 'log' | 'logLevel'> & StatusSources;

const STARTING = 'starting';

/** Answers `mobilenetd status` and `mobilenetd ctl`; `context` is asked anew at every request. */
export async function startControlSocket(
  context: Using & Pick<Context, 'env'>,
): Promise<StopOutput> {
  const { config, env, log } = context;
  if (!config.control.enabled) return () => {};
  const path = config.control.socket ?? controlSocket(config.state_dir, env);
  try {
    const server = await startControlServer({
      path,
      handle: (request) => answer(request, context),
    });
    return () => server.close();
  } catch (error) {
    log.warn(`mobilenetd status will not work: ${messageOf(error)}`);
    return () => {};
  }
}

async function answer(request: ControlRequest, context: Using): Promise<object> {
  switch (request.verb) {
    case 'status':
      return statusReport(context);
    case 'reload':
      return { done: await context.daemon.reload() };
    case 'reset':
      return { reset: reset(request.key, context) };
    case 'wrong':
      return { spots: context.spots.answer(request) };
    case 'teach':
      return teach(request, context);
    case 'log-level':
      return setLevel(request.level, context);
  }
}

function statusReport(context: Using): StatusReport {
  const { config, daemon, logLevel } = context;
  const { node, state_dir, log } = config;
  return {
    version: VERSION,
    pid: process.pid,
    node,
    state_dir,
    uptime_s: Math.round(process.uptime()),
    ready: daemon.hasLabelled(),
    log_level: logLevel?.get() ?? log.level,
    log_level_configured: logLevel?.configured() ?? log.level,
    rss_mb: Math.round(process.memoryUsage.rss() / 1e5) / 10,
    running: daemon.phase() === 'running' ? runningReport(context) : null,
    doing: daemon.phase() === 'running' ? null : (daemon.doing() ?? STARTING),
  };
}

function reset(key: string | null, { daemon, overrides, log }: Using): readonly string[] {
  if (daemon.phase() !== 'running') throw notRunning('reset');
  const done = overrides.reset(key);
  if (done.length > 0) log.info({ keys: done }, `as the file says again: ${done.join(', ')}`);
  return done;
}

async function teach(request: TeachRequest, context: Using): Promise<object> {
  if (context.daemon.phase() !== 'running') throw notRunning('teach');
  const { taught } = context;
  switch (request.do) {
    case 'look':
      await taught.look();
      return { labels: taught.labels().map(({ label }) => label) };
    case 'record':
      return taught.record(request);
    case 'session':
      return taught.recording(request.id, request.end);
  }
}

function notRunning(subject: string): Error {
  return codedError('MND_CONTROL_REQUEST', {
    subject,
    expected: 'a daemon that runs',
    found: 'one that is starting',
    next: 'try again in a moment',
  });
}

function setLevel(level: string | null, { logLevel, log }: Using): object {
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
