import { spawn } from 'node:child_process';
import { type Clock, systemClock } from '../time.js';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  /** Its standard input. */
  readonly input: string;
  readonly timeoutMs: number;
}

/** Between the request to end and the end by force. */
const GRACE_MS = 2000;
const MAX_STDERR = 2000;
const SHOWN = 120;

/**
 * Runs a program in a process group of its own; resolves with null when it ended with status 0, else
 * with why not, for people. When time is up, or the signal aborts, the whole group is ended; what a
 * program leaves running ends with it. Never rejects.
 */
export function runCommand(
  command: Command,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<string | null> {
  const { program, args, env, folder: cwd, input, timeoutMs } = command;
  return new Promise((resolve) => {
    let stderr = '';
    let why: string | null = null;
    let spare = () => {};
    // What C ends a text with cannot be in an argument or a variable.
    const child = spawn(program, args.map(withoutNul), {
      ...{ cwd, env: withoutNuls(env), detached: true, shell: false },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const kill = (how: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, how);
      } catch {
        // The group is gone.
      }
    };
    const end = (reason: string): void => {
      if (why !== null) return;
      why = reason;
      kill('SIGTERM');
      spare = clock.setTimer(() => kill('SIGKILL'), GRACE_MS);
    };
    const cancel = clock.setTimer(() => end(`it ran longer than ${timeoutMs / 1000} s`), timeoutMs);
    const aborted = (): void => end('it was given up');
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
    const finish = (result: string | null): void => {
      cancel();
      spare();
      signal.removeEventListener('abort', aborted);
      child.stderr.destroy();
      resolve(result);
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? 'there is no such program' : `${error.code}`;
      finish(`it cannot be started: ${reason}`);
    });
    child.on('exit', (status, killedBy) => {
      kill('SIGKILL');
      const lastLine = stderr.trim().split('\n').at(-1)?.slice(0, SHOWN) ?? '';
      const ended = status === null ? `ended by ${killedBy}` : `ended with status ${status}`;
      if (why === null && status === 0) finish(null);
      else finish(why ?? `${ended}${lastLine === '' ? '' : `: ${lastLine}`}`);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-MAX_STDERR);
    });
    // A program need not read what it is told.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function withoutNul(text: string): string {
  return text.replaceAll('\0', '?');
}

function withoutNuls(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value && withoutNul(value)]),
  );
}
