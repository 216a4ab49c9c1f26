import { Command, CommanderError, Option } from 'commander';
import { codedError } from '../errors.js';
import { VERSION } from '../package-root.js';
import { type Platform, thisPlatform, unsupportedPlatform } from '../platform.js';
import type { CommandContext, CommandEntry } from './command.js';
import { versionText } from './commit.js';
import { addExamples, addNotes, HELP_LAYOUT, helpWidth } from './help-layout.js';
import { isDebug, reportError } from './output.js';

export interface ProgramOptions {
  readonly args: readonly string[];
  readonly commands: readonly CommandEntry[];
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: NodeJS.ProcessEnv;
  /** Default: what this process runs on. */
  readonly platform?: Platform;
  /**
   * Makes the context of the commands that were asked for; `options` are known when they run.
   *
   * @param readsConfig whether one of them uses its `loadConfig`
   */
  context(options: () => GlobalOptions, readsConfig: boolean): Promise<CommandContext>;
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly config: readonly string[];
  readonly debug: boolean;
}

/** Runs one command line and resolves with its exit code; it never rejects. */
export async function runProgram(options: ProgramOptions): Promise<number> {
  const program = createProgram(options);
  const debug = () => globalOptions(program, options.env).debug;
  let context: CommandContext | null = null;
  try {
    context = await registerCommands(program, options);
    await program.parseAsync(options.args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // Help that was not asked for has been printed already: no further message.
    if (error instanceof CommanderError && error.code === 'commander.help') return 64;
    const cause =
      error instanceof CommanderError
        ? usageError(error, helpOf(program, options))
        : (interruptionOf(error, context) ?? error);
    return reportError(cause, { stderr: options.stderr, debug: debug() });
  }
}

function createProgram(options: ProgramOptions): Command {
  const program = new Command('mobilenetd')
    .description(
      'Labels what a camera sees with quantized MobileNet on the CPU, keeps it in SQLite and tells MQTT.',
    )
    .version(versionOf(options.args), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addOption(
      new Option('-c, --config <file>', 'configuration file, may be repeated')
        .argParser(collect)
        .default([], '/etc/mobilenetd/config.yaml if it exists'),
    )
    .option('--debug', 'show the stack of an error (also MOBILENETD_DEBUG=1)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void options.stdout.write(text),
      writeErr: (text) => void options.stderr.write(text),
      outputError: () => {},
      getOutHelpWidth: () => helpWidth(options.stdout),
      getErrHelpWidth: () => helpWidth(options.stderr),
    })
    .configureHelp(HELP_LAYOUT);
  addExamples(program, '');
  return addNotes(
    program,
    'Exit codes: 0 done, 1 failed, 64 usage, 66 input missing, 69 unavailable, 78 bad configuration.',
  );
}

/** With the commit, which is looked up only when it is asked for. */
function versionOf(args: readonly string[]): string {
  return args.includes('-V') || args.includes('--version') ? versionText() : VERSION;
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

function globalOptions(program: Command, env: NodeJS.ProcessEnv): GlobalOptions {
  const { config = [], debug = false } = program.opts<Partial<GlobalOptions>>();
  return { config, debug: debug || isDebug(env) };
}

/**
 * Only the commands whose names stand on the command line are imported; of the others the general
 * help needs no more than the name and the summary.
 */
async function registerCommands(
  program: Command,
  options: ProgramOptions,
): Promise<CommandContext | null> {
  // Completion is made from all commands.
  const all = options.args[0] === 'completion';
  const asked = options.commands.filter((entry) => all || options.args.includes(entry.name));
  const readsConfig = asked.some((entry) => entry.readsConfig ?? true);
  const context =
    asked.length === 0
      ? null
      : await options.context(() => globalOptions(program, options.env), readsConfig);
  for (const entry of options.commands) {
    if (context !== null && asked.includes(entry)) {
      const refused =
        entry.runsNetworks === true && !all && !wantsHelp(options.args) ? unfit(options) : null;
      if (refused !== null) throw refused;
      const { register } = await entry.load();
      register(program, context);
      for (const command of program.commands) {
        if (command.name() === entry.name) addAllExamples(command, []);
      }
    } else {
      program.command(entry.name).summary(entry.summary);
    }
  }
  return context;
}

/**
 * Why a command was ended, where what it threw comes from that: libraries that are given the signal throw
 * an AbortError of their own, or something that it caused.
 */
function interruptionOf(error: unknown, context: CommandContext | null): unknown {
  if (context === null || !isAbort(error) || !context.signal.aborted) return null;
  return context.signal.reason;
}

function isAbort(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each.name === 'AbortError') return true;
  }
  return false;
}

function addAllExamples(command: Command, above: readonly string[]): void {
  const path = [...above, command.name()];
  addExamples(command, path.join(' '));
  for (const below of command.commands) addAllExamples(below, path);
}

/** How to ask for the help of the command that was meant. */
function helpOf(program: Command, { args }: ProgramOptions): string {
  const path: string[] = [];
  let command = program;
  for (const word of args) {
    const below = command.commands.find((candidate) => candidate.name() === word);
    if (below === undefined) continue;
    path.push(word);
    command = below;
  }
  return ['mobilenetd', ...path, '--help'].join(' ');
}

function unfit({ platform }: ProgramOptions): Error | null {
  return unsupportedPlatform(platform ?? thisPlatform());
}

function wantsHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h');
}

/** `error: unknown option '--foo'\n(Did you mean --for?)` of commander, in this program's form. */
function usageError(error: CommanderError, help: string): Error {
  const more = help === 'mobilenetd --help' ? '' : `See ${help}`;
  const [first = '', ...rest] = error.message.split('\n');
  const hint = rest.join(' ').trim().replace(/^\(/, '').replace(/\)$/, '');
  return codedError('MND_USAGE', {
    subject: first.replace(/^error: /, '').replace(/\.$/, ''),
    next: [hint.replace(/^Did/, 'did'), hint === '' ? `see ${help}` : more].join(' ').trim(),
  });
}
