import { createInterface } from 'node:readline/promises';
import { askDaemon } from '../control/client.js';
import { type OverrideReport, overrideText, type StatusReport } from '../control/report.js';
import { codedError } from '../errors.js';
import type { CommandContext, Register } from './command.js';
import { networkWarnings } from './network-check.js';
import { writeJsonLine, writeLine } from './output.js';
import { ask } from './prompt.js';
import { socketsOf } from './sockets.js';

const DAEMON_TIMEOUT_MS = 2000;

interface Flags {
  readonly changed?: boolean;
  readonly check?: boolean;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('config')
    .summary('show the effective configuration, or check it')
    .description(
      [
        'Prints the configuration that the daemon would run with, as YAML that can be read again, and',
        'where each value came from. Secrets are masked. docs/configure.md explains the keys.',
      ].join('\n'),
    )
    .option('--changed', 'only what differs from the defaults')
    .option('--check', 'print nothing but "ok" or every problem')
    .option('--json', 'one JSON object: config and origins, or with --check ok and problems')
    .action(async (flags: Flags) => {
      const { loadConfig } = await import('../config/load.js');
      const { describeProblem, isConfigError } = await import('../config/check/problem.js');
      const { redactConfig } = await import('../config/check/secrets.js');
      const { requireCamera } = await import('./require-camera.js');
      try {
        const { config, origins, warnings } = loadConfig(context.configOptions());
        if (flags.check) {
          requireCamera(config);
          const odd = [...warnings, ...(await networkWarnings({ config, origins }, context.env))];
          for (const warning of odd) {
            writeLine(context.stderr, `mobilenetd: warning: ${describeProblem(warning)}`);
          }
          const result = { ok: true, problems: [], ...(odd.length > 0 && { warnings: odd }) };
          if (flags.json) writeJsonLine(context.stdout, result);
          else writeLine(context.stdout, 'ok');
          return;
        }
        for (const warning of warnings) {
          writeLine(context.stderr, `mobilenetd: warning: ${describeProblem(warning)}`);
        }
        const { changedKeys } = await import('../config/changed.js');
        const masked = redactConfig(config);
        const selected = flags.changed ? changedKeys(masked, origins) : masked;
        const overrides = await overridesOf(context);
        if (flags.json) {
          writeJsonLine(context.stdout, {
            config: selected,
            origins: Object.fromEntries(origins),
            ...(overrides !== null && { overrides }),
          });
        } else {
          const { annotatedYaml } = await import('../config/annotate.js');
          context.stdout.write(annotatedYaml(selected, origins));
          for (const override of overrides ?? []) {
            const text = overrideText(override);
            writeLine(context.stdout, `# set at run time (mobilenetd ctl reset): ${text}`);
          }
        }
      } catch (error) {
        if (flags.check && flags.json && isConfigError(error)) {
          writeJsonLine(context.stdout, { ok: false, problems: error.problems });
        }
        throw error;
      }
    });
  command
    .command('hash-password')
    .summary('hash a password for mqtt.embedded.users and status.users')
    .description(
      [
        'Reads a password from standard input (one line; a terminal does not show it) and prints its',
        'hash (scrypt, RFC 7914), which is what stands in mqtt.embedded.users.',
      ].join('\n'),
    )
    .action(async () => {
      const { hashPassword } = await import('../mqtt/broker/password.js');
      const password = await readPassword(process.stdin, context);
      writeLine(context.stdout, await hashPassword(password));
    });
  command
    .command('hash-token')
    .summary('make a token for status.tokens')
    .description(
      [
        'Makes a token for a program that asks the API, and prints it with its SHA-256, which is what',
        'stands in status.tokens. The token is shown this once.',
      ].join('\n'),
    )
    .action(async () => {
      const { token, sha256 } = await newToken();
      writeLine(context.stdout, `token   ${token}`);
      writeLine(context.stdout, `sha256  ${sha256}`);
    });
};

/** What is set at run time where a daemon runs; null where none answers. */
async function overridesOf(context: CommandContext): Promise<readonly OverrideReport[] | null> {
  const places = { ...socketsOf(context), timeout: DAEMON_TIMEOUT_MS };
  const answer = await askDaemon({ verb: 'status' }, places).catch(() => null);
  return (answer as StatusReport | null)?.running?.overrides ?? null;
}

/** A token and what the configuration holds of it. */
async function newToken(): Promise<{ readonly token: string; readonly sha256: string }> {
  const { createHash, randomBytes } = await import('node:crypto');
  const token = randomBytes(32).toString('base64url');
  return { token, sha256: createHash('sha256').update(token).digest('hex') };
}

/** One line without its end. Throws MND_USAGE when there is none. */
async function readPassword(input: NodeJS.ReadStream, context: CommandContext): Promise<string> {
  const password =
    input.isTTY === true
      ? await ask('Password: ', context, { hidden: true })
      : await firstLine(input);
  if (password !== '') return password;
  throw codedError('MND_USAGE', {
    subject: 'config hash-password',
    expected: 'a password on standard input',
    found: 'nothing',
  });
}

async function firstLine(input: NodeJS.ReadStream): Promise<string> {
  const reader = createInterface({ input });
  try {
    for await (const line of reader) return line;
    return '';
  } finally {
    reader.close();
  }
}
