import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openShelf } from '#mobilenetd/models/shelf.js';
import { mobilenetV1Spec } from '../convert/build-mobilenet.js';
import { buildTflite } from '../convert/build-tflite.js';

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

/**
 * Installs a MobileNetV1 with pseudo-random weights and three classes, so that a whole daemon runs
 * where no real model is to be had. One of three classes always has a score of at least a third.
 */
export async function installRandomModel(
  folder: string,
  { name = 'random_v1', alpha = 0.25 }: { readonly name?: string; readonly alpha?: number } = {},
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.tflite`);
  const labels = join(folder, 'labels.txt');
  writeFileSync(file, buildTflite(mobilenetV1Spec({ alpha, size: 128, classes: 3 }, 7)));
  writeFileSync(labels, 'left\nmiddle\nright\n');
  await openShelf({ dir: join(folder, 'models'), env: {} }).add(file, {
    labels,
    name,
    task: 'classify',
  });
  return name;
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
