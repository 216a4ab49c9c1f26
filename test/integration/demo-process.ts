import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export { installRandomModel } from './random-model.js';

export interface Ready {
  readonly mqtt: string;
  readonly base: string;
  readonly state: string;
  readonly model: string;
}

export interface DemoProcess {
  readonly child: ChildProcess;
  readonly ready: Promise<Ready>;
  /** Every event printed so far. */
  readonly events: Record<string, unknown>[];
  /** What it wrote to standard error so far. */
  errors(): string;
  /** Ends it with a signal; resolves with its exit code, null after SIGKILL. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Runs `mobilenetd demo --json` as a user would, with the installed random model. */
export function runDemo(options: {
  readonly folder: string;
  readonly model: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly args?: readonly string[];
}): DemoProcess {
  const { folder, model, env = {}, args = [] } = options;
  const child = spawn(process.execPath, ['dist/cli/main.js', 'demo', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      MOBILENETD_STATE: folder,
      MOBILENETD_NODE: 'board',
      MOBILENETD_MODEL_TASK: 'classify',
      MOBILENETD_MODEL_NAME: model,
      MOBILENETD_PRESENCE_ENTER: '0.3',
      MOBILENETD_PRESENCE_STAY: '0.2',
      ...env,
    },
  });
  const events: Record<string, unknown>[] = [];
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exited = once(child, 'exit');
  const ready = new Promise<Ready>((resolve, reject) => {
    if (child.stdout === null) throw new Error('standard output is a pipe');
    let first = true;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const value = JSON.parse(line);
      if (first) resolve(value);
      else events.push(value);
      first = false;
    });
    void exited.then(() => reject(new Error(`the demo ended before it was ready: ${errors}`)));
  });
  // A test that kills it early does not look at `ready`.
  ready.catch(() => {});
  return {
    child,
    ready,
    events,
    errors: () => errors,
    async end(signal) {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}
