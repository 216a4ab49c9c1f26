import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { messageOf } from '../../errors.js';
import { type Clock, systemClock } from '../../time.js';
import { openReusedPipe, type ReusedPipe } from './pipe.js';

/** Starts a program with an argument array; stdout and stderr are pipes, and stdin where it is asked. */
export type SpawnChild = (
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv | undefined,
  stdin: 'ignore' | 'pipe',
) => ChildProcess;

/** A child that has been started; where its stdout comes from when that is not its own pipe. */
interface Started {
  readonly child: ChildProcess;
  readonly stdout: Readable | null;
  /** Resolves when there is nothing more to read from a stdout that is not the child's own pipe. */
  readonly drained: Promise<void>;
}

export interface ChildOptions {
  readonly command: string;
  /** Passed as they are: no shell is involved. */
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** What it reads from stdin, which is then closed; null for nothing. Not seen by other users. */
  readonly stdin?: string | null;
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
  /** The process survived SIGKILL (stuck in the kernel) and was left behind. */
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
export async function runChild(options: ChildOptions, signal: AbortSignal): Promise<ChildExit> {
  const clock = options.clock ?? systemClock;
  const onStdout = (chunk: Uint8Array): void => {
    if (!signal.aborted) options.onStdout(chunk);
  };
  const tail = createTail(options.onStderrLine);
  // The one wait before the child exists: what it emits must find its listeners.
  const pipe =
    options.spawn === undefined ? await openReusedPipe(onStdout).catch(() => null) : null;
  return new Promise((resolve) => {
    let started: Started;
    try {
      started = start(options, pipe, onStdout);
    } catch (error) {
      const startError: NodeJS.ErrnoException =
        error instanceof Error ? error : new Error(messageOf(error));
      resolve({ code: null, signal: null, stderr: '', startError, abandoned: false });
      return;
    }
    const { child, stdout, drained } = started;
    let cancelTimer = (): void => {};
    const settle = (exit: Partial<ChildExit>): void => {
      cancelTimer();
      signal.removeEventListener('abort', stop);
      stdout?.destroy();
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

    child.stderr?.on('data', (chunk: Uint8Array) => tail.push(chunk));
    for (const pipe of [stdout, child.stderr]) pipe?.on('error', () => {});
    child.on('error', (error) => {
      // Also raised when a signal cannot be sent; only a child without a pid never started.
      if (child.pid === undefined) settle({ startError: error });
    });
    child.on('exit', (code, exitSignal) => {
      cancelTimer();
      signal.removeEventListener('abort', stop);
      cancelTimer = clock.setTimer(() => settle({ code, signal: exitSignal }), PIPE_GRACE_MS);
    });
    child.on('close', (code, exitSignal) => {
      void drained.then(() => settle({ code, signal: exitSignal }));
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** Starts the child with a pipe that reuses its memory, or, where there is none, with its own. */
function start(
  options: ChildOptions,
  pipe: ReusedPipe | null,
  onStdout: (chunk: Uint8Array) => void,
): Started {
  if (pipe === null) {
    const child = spawnChild(options, 'pipe');
    child.stdout?.on('data', onStdout);
    return { child, stdout: child.stdout, drained: Promise.resolve() };
  }
  const { childEnd, reader } = pipe;
  const drained = new Promise<void>((resolve) => reader.once('close', () => resolve()));
  try {
    return { child: spawnChild(options, childEnd), stdout: reader, drained };
  } catch (error) {
    reader.destroy();
    throw error;
  } finally {
    childEnd.destroy();
  }
}

function spawnChild(options: ChildOptions, stdout: 'pipe' | Socket): ChildProcess {
  const { command, args, env, stdin: text = null } = options;
  const stdin = text === null ? 'ignore' : 'pipe';
  const child =
    options.spawn?.(command, args, env, stdin) ??
    // In a group of its own: a Ctrl-C on the terminal is for the daemon, which ends its children.
    spawn(command, args, { stdio: [stdin, stdout, 'pipe'], shell: false, env, detached: true });
  // A child that ends before it has read it is told of by its exit.
  child.stdin?.on('error', () => {});
  if (text !== null) child.stdin?.end(text);
  return child;
}

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
