import { Writable } from 'node:stream';
import type { CommandEntry } from '#mobilenetd/cli/command.js';
import { runProgram } from '#mobilenetd/cli/program.js';
import { loadConfig } from '#mobilenetd/config/load.js';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The objects that `--json` printed. */
  json(): Record<string, unknown>[];
}

class Memory extends Writable {
  text = '';
  /** Places of a terminal; undefined: it is none. */
  readonly columns: number | undefined;

  constructor(columns?: number) {
    super();
    this.columns = columns;
  }

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

/**
 * Runs a command line in this process, with an environment and streams of its own: those of a terminal
 * if `columns` says how wide it is.
 */
export async function runInProcess(
  commands: readonly CommandEntry[],
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  columns?: number,
): Promise<Outcome> {
  const [stdout, stderr] = [new Memory(columns), new Memory(columns)];
  const status = await runProgram({
    args,
    commands,
    stdout,
    stderr,
    env,
    context: async (options) => {
      const configOptions = (flags?: Readonly<Record<string, unknown>>) => ({
        files: options().config,
        env,
        ...(flags === undefined ? {} : { flags }),
      });
      return {
        env,
        stdout,
        stderr,
        signal: new AbortController().signal,
        debug: false,
        configOptions,
        loadConfig: (flags) => loadConfig(configOptions(flags)).config,
      };
    },
  });
  return {
    status,
    stdout: stdout.text,
    stderr: stderr.text,
    json: () =>
      stdout.text
        .split('\n')
        .filter((line) => line !== '')
        .map((line): Record<string, unknown> => JSON.parse(line)),
  };
}
