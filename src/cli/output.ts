import { isCodedError, messageOf } from '../errors.js';
import { maskAddresses } from '../mask.js';

/** Writes one JSON object as one line. */
export function writeJsonLine(stream: NodeJS.WritableStream, value: object): void {
  stream.write(`${JSON.stringify(value)}\n`);
}

export function writeLine(stream: NodeJS.WritableStream, text = ''): void {
  stream.write(`${text}\n`);
}

/**
 * Writes text and waits where the reader is slow. Throws the signal's reason when it is aborted, and
 * ends the command quietly when the reader of a pipe has gone (`| head`).
 */
export async function writeText(
  stream: NodeJS.WritableStream,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw signal.reason;
  if (stream.write(text)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (end: () => void) => () => {
      stream.off('drain', drained);
      stream.off('close', closed);
      stream.off('error', closed);
      signal.removeEventListener('abort', aborted);
      end();
    };
    const drained = settle(resolve);
    const closed = settle(() => reject(new Interrupted('stdout was closed', 0)));
    const aborted = settle(() => reject(signal.reason));
    stream.once('drain', drained);
    stream.once('close', closed);
    stream.once('error', closed);
    signal.addEventListener('abort', aborted);
  });
}

/** Lets signals in during long work; throws the signal's reason when it is aborted. */
export async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal.aborted) throw signal.reason;
}

/**
 * Tells the user why a command failed, as `mobilenetd: MND_…: message`, and returns its exit code:
 * the one of a coded error, 128 + n after signal n, else 1. The stack is shown only with `debug`.
 */
export function reportError(
  error: unknown,
  options: { readonly stderr: NodeJS.WritableStream; readonly debug: boolean },
): number {
  if (error instanceof Interrupted) return error.exitCode;
  const code = isCodedError(error) ? error.code : 'MND_INTERNAL';
  writeLine(options.stderr, maskAddresses(`mobilenetd: ${code}: ${messageOf(error)}`));
  if (options.debug && error instanceof Error) {
    writeLine(options.stderr, maskAddresses(error.stack ?? ''));
    for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
      writeLine(options.stderr, maskAddresses(`caused by ${cause.stack ?? cause.message}`));
    }
  }
  return isCodedError(error) ? error.exitCode : 1;
}

/** Whether MOBILENETD_DEBUG asks for the stacks of errors. */
export function isDebug(env: NodeJS.ProcessEnv): boolean {
  return !['', '0', 'false'].includes(env.MOBILENETD_DEBUG ?? '');
}

/** What a command throws that has said everything and ends with a status of its own. */
export function endWith(exitCode: number): Error {
  return new Interrupted('the command has said why', exitCode);
}

/** Why a command's signal was aborted; throwing it ends the command quietly. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
