import { isConfigError } from '../config/check/problem.js';
import type { LoadConfigOptions, LoadedConfig } from '../config/load.js';
import { loadConfig } from '../config/load.js';
import type { Inspection } from '../daemon/context.js';
import type { LogTail } from '../daemon/diagnostics/log-tail.js';
import { messageOf } from '../errors.js';
import type { CommandContext } from './command.js';

/** The name under which problems of a pasted configuration are told. */
const PASTED = '/pasted.yaml';

/**
 * What the page says of the command itself: its log, its configuration files, the doctor's findings.
 *
 * @param load reads what the daemon runs with
 */
export function inspectionOf(
  context: CommandContext,
  tail: LogTail,
  load: () => LoadedConfig,
): Inspection {
  return {
    logs: (count) => tail.last(count),
    async doctor() {
      const { examine } = await import('../doctor/doctor.js');
      const { surroundingsOf } = await import('./doctor.js');
      return examine({
        around: await surroundingsOf(context),
        loadConfig: () => load().config,
      });
    },
    origins: () => load().origins,
    check: (yaml) => problemsOf(yaml, context.configOptions()),
  };
}

/**
 * Every problem of a configuration that is pasted. Files it names (passwords, certificates) are not
 * opened: whoever pastes may not read with the daemon's eyes.
 */
export function problemsOf(yaml: string, options: LoadConfigOptions): readonly string[] {
  try {
    loadConfig({
      ...options,
      files: [PASTED],
      readFile: (file) => Buffer.from(file === PASTED ? yaml : 'not opened'),
    });
    return [];
  } catch (error) {
    if (!isConfigError(error)) return [messageOf(error)];
    return error.problems.map(
      ({ where, key, message }) => `${where.replace(`${PASTED}:`, 'line ')}: ${key} ${message}`,
    );
  }
}
