import { type ChildProcess, spawn } from 'node:child_process';
import { messageOf } from '../errors.js';
import { type Clock, systemClock } from './clock.js';

/** Starts a program with an argument array; stdin is closed, stdout and stderr are pipes. */
export type SpawnChild = (
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv | undefined,
) => ChildProcess;

export interface ChildOptions {
  readonly command: string;
  /** Passed as they are: no shell is involved. */
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** The chunk is valid until it returns. */
  readonly onStdout: (chunk: Uint8Array) => void;
  readonly onStderrLine?: (line: string) => void;
  readonly spawn?: SpawnChild;
  readonly clock?: Clock;
}

export interface ChildExit {
  /** Exit status, null when it was killed, was abandoned or never started. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines it wrote to stderr, at most 2000 characters. */
  readonly stderr: string;
  /** Why it could not be started (`ENOENT`: no such program). */
  readonly startError: NodeJS.ErrnoException | null;
  /** It survived SIGKILL (stuck in the kernel) and was left behind. */
  readonly abandoned: boolean;
}

/** What is sent when, after the abort, milliseconds after the step before. */
const ESCALATION: readonly (readonly [NodeJS.Signals, number])[] = [
  ['SIGINT', 0],
  ['SIGTERM', 3000],
  ['SIGKILL', 2000],
];
/** A killed process that is not gone by then is stuck in the kernel. */
const ABANDON_AFTER_MS = 2000;
/** After the exit, how long a grandchild may hold the pipes open. */
const PIPE_GRACE_MS = 1000;
const MAX_LINE = 500;
const MAX_TAIL = 2000;

/**
 * Runs a program until it exits, or stops it when the signal is aborted: SIGINT, after 3 s SIGTERM,
 * after 2 s SIGKILL, after 2 s more it is abandoned. Output that comes after the abort is read and
 * thrown away, so that the child never blocks on a full pipe. Never rejects.
 */
export function runChild(options: ChildOptions, signal: AbortSignal): Promise<ChildExit> {
  const clock = options.clock ?? systemClock;
  const start = options.spawn ?? spawnChild;
  const tail = createTail(options.onStderrLine);
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = start(options.command, options.args, options.env);
    } catch (error) {
      const startError: NodeJS.ErrnoException =
        error instanceof Error ? error : new Error(messageOf(error));
      resolve({ code: null, signal: null, stderr: '', startError, abandoned: false });
      return;
    }

    let cancelTimer = (): void => {};
    const settle = (exit: Partial<ChildExit>): void => {
      cancelTimer();
      signal.removeEventListener('abort', stop);
      child.stdout?.destroy();
      child.stderr?.destroy();
      const unknown = { code: null, signal: null, startError: null, abandoned: false };
      resolve({ ...unknown, ...exit, stderr: tail.text() });
    };
    const escalate = (step: number): void => {
      const next = ESCALATION[step];
      if (next === undefined) {
        child.unref();
        settle({ abandoned: true });
        return;
      }
      child.kill(next[0]);
      const wait = ESCALATION[step + 1]?.[1] ?? ABANDON_AFTER_MS;
      cancelTimer = clock.setTimer(() => escalate(step + 1), wait);
    };
    const stop = (): void => escalate(0);

    child.stdout?.on('data', (chunk: Uint8Array) => {
      if (!signal.aborted) options.onStdout(chunk);
    });
    child.stderr?.on('data', (chunk: Uint8Array) => tail.push(chunk));
    for (const pipe of [child.stdout, child.stderr]) pipe?.on('error', () => {});
    child.on('error', (error) => {
      // Also raised when a signal cannot be sent; only a child without a pid never started.
      if (child.pid === undefined) settle({ startError: error });
    });
    child.on('exit', (code, exitSignal) => {
      cancelTimer();
      signal.removeEventListener('abort', stop);
      cancelTimer = clock.setTimer(() => settle({ code, signal: exitSignal }), PIPE_GRACE_MS);
    });
    child.on('close', (code, exitSignal) => settle({ code, signal: exitSignal }));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

const spawnChild: SpawnChild = (command, args, env) =>
  spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], shell: false, env });

interface Tail {
  push(chunk: Uint8Array): void;
  text(): string;
}

/** Splits stderr into lines and keeps the last of them; a line without an end is cut. */
function createTail(onLine: ((line: string) => void) | undefined): Tail {
  const decoder = new TextDecoder();
  let kept = '';
  let open = '';
  const endLine = (): void => {
    const line = open.trimEnd();
    open = '';
    if (line === '') return;
    kept = `${kept}${kept === '' ? '' : '\n'}${line}`.slice(-MAX_TAIL);
    onLine?.(line);
  };
  return {
    push(chunk) {
      const lines = decoder.decode(chunk, { stream: true }).split(/[\r\n]/);
      for (const [index, line] of lines.entries()) {
        if (index > 0) endLine();
        open = (open + line).slice(0, MAX_LINE);
      }
    },
    text() {
      endLine();
      return kept;
    },
  };
}
