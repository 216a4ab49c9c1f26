import { resolve } from 'node:path';
import { SYSTEM_FILE } from '../config/read/places.js';
import { codedError } from '../errors.js';
import type { CommandContext, Register } from './command.js';
import { Interrupted } from './output.js';
import { STEPS } from './setup/steps.js';

type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** Options that belong to no step. */
const OWN = new Set(['yes', 'json']);

export const register: Register = (program, context) => {
  const command = program
    .command('setup')
    .summary('ask what is wanted, try it, and write the configuration')
    .description(
      [
        'Finds cameras (with a picture of each) and a broker, asks for what it cannot know, tries what it',
        'is told, and writes /etc/mobilenetd/config.yaml (or the file of --config) with comments. Run',
        'again, what stands there is the default, and comments and other keys stay. Nothing is written',
        'before the end. Passwords go into files of their own (mode 0600) beside the configuration.',
        'Every answer can be given as an option; --yes takes the default of those that are not.',
      ].join('\n'),
    )
    .option('--yes', 'ask nothing: take what is there, what was found, or the default')
    .option('--json', 'one JSON object a line: what each step found and chose (needs --yes)')
    .option('--write <yes|no>', 'write the file at the end; no shows what it would be')
    .option('--restart <yes|no>', 'put it in force: restart the service, or reload the daemon')
    .option('--look <yes|no>', 'without a daemon: look through the camera once');
  for (const { options } of STEPS) {
    for (const { name, value, help } of options) command.option(`--${name} ${value}`, help);
  }
  command.action(async () => {
    const flags: Flags = command.opts();
    const file = fileOf(context);
    requireSomebody(flags);
    const { runSetup } = await import('./setup/dialogue.js');
    const { openTerminal } = await import('./setup/terminal.js');
    const interrupted = new AbortController();
    const signal = AbortSignal.any([context.signal, interrupted.signal]);
    const terminal =
      flags.yes === true
        ? null
        : openTerminal(
            process.stdin,
            context.stderr,
            () => interrupted.abort(new Interrupted('SIGINT', 130)),
            signal,
          );
    try {
      await runSetup({
        context,
        file,
        isSystem: file === SYSTEM_FILE,
        answers: answersOf(flags),
        prompt: terminal,
        json: flags.json === true,
        signal,
      });
    } finally {
      terminal?.close();
    }
  });
};

/** @throws MND_USAGE for several files: it would not be said which is meant */
function fileOf(context: CommandContext): string {
  const { files = [] } = context.configOptions();
  const [file = SYSTEM_FILE, ...more] = files;
  if (more.length === 0) return resolve(file);
  throw codedError('MND_USAGE', {
    subject: 'setup',
    expected: 'one --config FILE, which is written',
    found: `${files.length}`,
  });
}

/** @throws MND_USAGE where nobody could answer */
function requireSomebody({ yes, json }: Flags): void {
  if (yes === true) return;
  if (json === true) {
    throw codedError('MND_USAGE', {
      subject: 'setup --json',
      expected: '--yes as well: a program cannot be asked',
      found: 'none',
    });
  }
  if (process.stdin.isTTY) return;
  throw codedError('MND_USAGE', {
    subject: 'setup',
    expected: 'a terminal to ask on',
    found: 'none',
    next: 'add --yes, and the answers as options: see mobilenetd setup --help',
  });
}

/** `--camera-name front` is kept as `cameraName` by the parser. */
function answersOf(flags: Flags): Readonly<Record<string, string>> {
  const answers: Record<string, string> = {};
  for (const [key, value] of Object.entries(flags)) {
    const option = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (typeof value === 'string' && !OWN.has(option)) answers[option] = value;
  }
  return answers;
}
