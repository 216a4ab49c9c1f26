import type { Register } from './command.js';
import { writeJsonLine, writeLine } from './output.js';

interface Flags {
  readonly check?: boolean;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('config')
    .summary('show the effective configuration, or check it')
    .description(
      [
        'Prints the configuration that the daemon would run with, as YAML, and where each value came',
        'from. Secrets are masked. docs/configure.md explains the keys.',
      ].join('\n'),
    )
    .option('--check', 'print nothing but "ok" or every problem')
    .option('--json', 'one JSON object: config and origins, or with --check ok and problems')
    .action(async (flags: Flags) => {
      const { loadConfig } = await import('../config/load.js');
      const { isConfigError } = await import('../config/problem.js');
      const { redactConfig } = await import('../config/secrets.js');
      try {
        const { config, origins } = loadConfig(context.configOptions());
        if (flags.check) {
          if (flags.json) writeJsonLine(context.stdout, { ok: true, problems: [] });
          else writeLine(context.stdout, 'ok');
        } else if (flags.json) {
          const shown = { config: redactConfig(config), origins: Object.fromEntries(origins) };
          writeJsonLine(context.stdout, shown);
        } else {
          const { annotatedYaml } = await import('../config/annotate.js');
          context.stdout.write(annotatedYaml(redactConfig(config), origins));
        }
      } catch (error) {
        if (flags.check && flags.json && isConfigError(error)) {
          writeJsonLine(context.stdout, { ok: false, problems: error.problems });
        }
        throw error;
      }
    });
};
