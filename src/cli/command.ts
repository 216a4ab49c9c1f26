import type { Command } from 'commander';
import type { Config } from '../config/config.js';
import type { LoadConfigOptions } from '../config/load.js';

/** What a command may touch of the outside world; tests pass their own. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  /** For results only: text for people, or with `--json` one object a line. */
  readonly stdout: NodeJS.WritableStream;
  /** For progress, logs and errors. */
  readonly stderr: NodeJS.WritableStream;
  /**
   * Aborted by SIGINT, SIGTERM, and by the reader of stdout going away. Looking at it takes the
   * default action away from these signals, so a command that reads it must end when it is aborted:
   * by returning when that is its clean end (exit 0), or by throwing the signal's reason (exit 130
   * after SIGINT, 143 after SIGTERM). A command that never looks at it dies of the signal.
   */
  readonly signal: AbortSignal;
  /** True with `--debug` or MOBILENETD_DEBUG. Known once the command line has been parsed. */
  readonly debug: boolean;
  /**
   * Reads the configuration anew, honouring every `--config` and the environment. `flags` are what
   * the command's own options set, by dotted key (`{'mqtt.url': 'mqtt://…'}`); undefined values are
   * skipped. Throws MND_CONFIG_INVALID or MND_CONFIG_UNREADABLE.
   */
  loadConfig(flags?: Readonly<Record<string, unknown>>): Config;
  /** The same as options of config/load.ts, for a caller that wants the origins too. */
  configOptions(flags?: Readonly<Record<string, unknown>>): LoadConfigOptions;
}

/**
 * Every command file exports one `register`: it adds `program.command('name')` with its description,
 * options and action, and imports whatever is slow to load inside the action. An action resolves
 * when the command is done; it fails by throwing (a coded error decides the exit code).
 */
export type Register = (program: Command, context: CommandContext) => void;

/** A line of the table in main.ts. */
export interface CommandEntry {
  readonly name: string;
  /** One line for `mobilenetd --help`. */
  readonly summary: string;
  /** Whether it runs networks, which not every system can (platform.ts). */
  readonly runsNetworks?: boolean;
  /** False: it does without `loadConfig` of its context, which takes longest to load of all; default true. */
  readonly readsConfig?: boolean;
  load(): Promise<{ readonly register: Register }>;
}
