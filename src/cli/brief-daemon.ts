import type { Config } from '../config/config.js';
import type { Log } from '../daemon/diagnostics/log.js';
import type { CommandContext } from './command.js';

/** How long a daemon that a command has started may take to stop, ms. */
export const STOP_DEADLINE_MS = 5000;
/** No background measuring: it runs for seconds only. */
export const NEVER_MS = 2 ** 31 - 1;

/** The log of a daemon that a command starts for a while; what is less than `least` is left out. */
export async function briefLog(
  config: Config,
  least: 'warn' | 'error',
  context: CommandContext,
): Promise<Log> {
  const { createLevelSwitch, createLog } = await import('../daemon/diagnostics/log.js');
  const { secretsOf } = await import('../config/check/secrets.js');
  return createLog({
    ...config.log,
    secrets: secretsOf(config),
    level: createLevelSwitch(context.debug ? 'debug' : least),
    destination: context.stderr,
    env: context.env,
  });
}
