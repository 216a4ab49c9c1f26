import type { LoadedConfig } from '../config/load.js';
import type { Inspection } from '../daemon/context.js';
import type { LogTail } from '../daemon/diagnostics/log-tail.js';
import type { CommandContext } from './command.js';
import { checkPasted } from './pasted-check.js';

/**
 * What the page says of the command itself: its log, its configuration files, the doctor's findings.
 *
 * @param load reads what the daemon runs with
 * @param found what it runs with and was not configured, as sentences
 */
export function inspectionOf(
  context: CommandContext,
  tail: LogTail,
  load: () => LoadedConfig,
  found: () => readonly string[] = () => [],
): Inspection {
  return {
    found,
    logs: (count) => tail.last(count),
    async doctor() {
      const { examine } = await import('../doctor/doctor.js');
      const { surroundingsOf } = await import('./doctor.js');
      return examine({
        around: await surroundingsOf(context),
        loadConfig: load,
      });
    },
    origins: () => load().origins,
    check: (yaml) => checkPasted(yaml),
  };
}
