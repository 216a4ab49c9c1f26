import { type ChildProcess, fork } from 'node:child_process';
import { codedError, type ErrorCode, type ErrorDetail } from '../../errors.js';
import type { WireError } from '../../inference/protocol.js';
import { systemClock } from '../../time.js';

const STDERR_TAIL = 2000;

/** What a child process says, once. */
export type ChildAnswer<Answer> =
  | { readonly ok: true; readonly value: Answer }
  | { readonly ok: false; readonly error: WireError };

export interface ChildOptions {
  /** The script; it calls {@link ./child-main.js!answerParent}. */
  readonly script: URL;
  /** Anything that structured clone takes, or a promise of it: the process starts meanwhile. */
  readonly request: unknown;
  /** Code of an error that the script did not report itself: a crash, a time-out. */
  readonly code: ErrorCode;
  readonly subject: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

/**
 * Runs a script in a process of its own and gives its answer: native code that dies of a signal
 * takes that process with it and nothing else, and its memory is given back.
 *
 * @throws what the promised request is rejected with, the script's coded error, or `code` if it died, said nothing or took too long
 */
export async function runChild<Answer>(options: ChildOptions): Promise<Answer> {
  const { script, request, code, subject, signal } = options;
  signal?.throwIfAborted();
  const child = fork(script, [], {
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    killSignal: 'SIGKILL',
    signal,
  });
  let answer: ChildAnswer<Answer> | null = null;
  let failure: Error | null = null;
  let timedOut = false;
  let stderr = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_TAIL);
  });
  child.on('message', (message) => {
    // Both ends are of one build, and this is the one message that answerParent sends.
    answer = message as ChildAnswer<Answer>;
  });
  child.on('error', (error) => {
    failure = error;
  });
  const ended = new Promise<string>((resolve) => {
    child.once('close', (status, died) => resolve(died ?? `status ${status}`));
  });
  const message = { request: await orKill(request, child) };
  const cancel = systemClock.setTimer(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, options.timeout);
  if (child.connected) child.send(message, () => undefined);
  const exit = await ended;
  cancel();
  signal?.throwIfAborted();

  const given = answer as ChildAnswer<Answer> | null;
  if (given?.ok) return given.value;
  if (given !== null) throw codedError(given.error.code, { subject, ...given.error.detail });
  const detail: ErrorDetail = timedOut
    ? { found: `no answer within ${Math.round(options.timeout / 1000)} s` }
    : { found: `its process ended with ${exit}${lastLine(stderr)}` };
  throw codedError(code, { subject, ...detail, cause: failure ?? undefined });
}

async function orKill(request: unknown, child: ChildProcess): Promise<unknown> {
  try {
    return await request;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** What a dying process said last, where that is an error. */
function lastLine(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => /\b\w*(Error|FATAL)\b/.test(line));
  const line = lines.at(-1)?.trim();
  return line === undefined ? '' : ` (${line.slice(0, 200)})`;
}
