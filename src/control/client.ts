import { connect } from 'node:net';
import { ASK_AS_SERVICE, codedError, isErrorCode, messageOf } from '../errors.js';
import { type ControlAnswer, type ControlRequest, MAX_ANSWER } from './protocol.js';
import { nameOfSocket, type SocketName } from './socket.js';

export interface AskOptions {
  /** Sockets to try in order; the first that answers is asked. */
  readonly sockets: readonly string[];
  /** A file that would say more of the sockets, and why it cannot be read; told where none answers. */
  readonly doubt?: string | null;
  /** Milliseconds to wait for the answer. */
  readonly timeout?: number;
}

const TIMEOUT_MS = 5000;
const PROBE_MS = 1000;

/**
 * Asks the running daemon.
 *
 * @throws MND_CONTROL_UNAVAILABLE when none answers; what the daemon itself answers as an error
 */
export async function askDaemon(request: ControlRequest, options: AskOptions): Promise<object> {
  const failures: string[] = options.doubt ? [options.doubt] : [];
  let forbidden = false;
  for (const path of options.sockets) {
    let answer: ControlAnswer;
    try {
      answer = parseAnswer(await exchange(path, request, options.timeout ?? TIMEOUT_MS));
    } catch (error) {
      forbidden ||= isForbidden(error);
      failures.push(`${path}: ${reasonOf(error)}`);
      continue;
    }
    if (answer.ok) return answer.value;
    throw asError(answer);
  }
  throw codedError('MND_CONTROL_UNAVAILABLE', {
    found: failures.join(', '),
    next: forbidden
      ? ASK_AS_SERVICE
      : 'start it (sudo systemctl start mobilenetd, or mobilenetd run), or name its state folder with MOBILENETD_STATE',
  });
}

/** Whether anybody listens on a socket; false for a file that a killed daemon left behind. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    let end = nameOrNull(path);
    if (end === null) return resolve(false);
    const socket = connect(end.name);
    const done = (listening: boolean) => {
      end?.release();
      end = null;
      socket.destroy();
      resolve(listening);
    };
    socket.setTimeout(PROBE_MS, () => done(true));
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

/** Null where there is no such place. */
function nameOrNull(path: string): SocketName | null {
  try {
    return nameOfSocket(path);
  } catch {
    return null;
  }
}

function exchange(path: string, request: ControlRequest, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const { name, release } = nameOfSocket(path);
    const socket = connect(name);
    let text = '';
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setEncoding('utf8');
    socket.setTimeout(timeout, () => fail(new Error('no answer in time')));
    socket.once('error', fail);
    socket.once('connect', () => socket.end(`${JSON.stringify(request)}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_ANSWER) fail(new Error('an answer that is too long'));
    });
    socket.once('end', () => resolve(text));
    socket.once('close', () => {
      release();
      reject(new Error('the connection was closed'));
    });
  });
}

function parseAnswer(text: string): ControlAnswer {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && 'ok' in value) return value as ControlAnswer;
  throw new Error('no answer of mobilenetd');
}

function asError({ code, message }: ControlAnswer & { readonly ok: false }): Error {
  const known = isErrorCode(code) ? code : 'MND_CONTROL_REQUEST';
  return Object.assign(codedError(known), { message });
}

function isForbidden(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'EACCES' || code === 'EPERM';
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'no socket';
  if (code === 'ECONNREFUSED') return 'left behind by a daemon that is gone';
  if (isForbidden(error)) return 'this user may not open it';
  return messageOf(error);
}
