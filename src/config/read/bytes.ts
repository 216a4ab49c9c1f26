import { closeSync, openSync, readSync } from 'node:fs';
import { ASK_AS_SERVICE, type CodedError, codedError } from '../../errors.js';
import { adviceOf, type SystemAdvice } from '../../system-error.js';

/** The first `limit` bytes of a file (also of a device or a pipe, which have no size). */
export function readBounded(file: string, limit: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(limit);
    let length = 0;
    while (length < limit) {
      const read = readSync(descriptor, bytes, length, limit - length, null);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** Why a file could not be read, for people. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an unreadable file';
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'ENOTDIR') return 'a file where a folder is needed';
  if (code === 'EACCES') return 'no permission to read it';
  return code === 'EISDIR' ? 'a folder' : (code ?? message);
}

/** A configuration file that cannot be read: MND_CONFIG_UNREADABLE. @param found what {@link reasonOf} says */
export function unreadable(file: string, found: string, cause: unknown): CodedError {
  const next = adviceOf(cause, ADVICE);
  const detail = { subject: file, found, cause };
  return codedError('MND_CONFIG_UNREADABLE', next === undefined ? detail : { ...detail, next });
}

/** The file of a packaged service is for root and the service alone: it may hold passwords. */
const FOREIGN = `${ASK_AS_SERVICE}; or name a file of your own with --config`;

const ADVICE: SystemAdvice = {
  EACCES: FOREIGN,
  EPERM: FOREIGN,
  ENOENT: 'look for a slip in its name; mobilenetd setup --config FILE writes a new one',
  EISDIR: 'name a file in it',
};

/**
 * The text of bytes that are UTF-8, or UTF-16 with a byte order mark, as some editors write; null for
 * others. The mark is no part of the text.
 */
export function textOf(bytes: Uint8Array): string | null {
  const [first, second] = bytes;
  const marked = first === 0xff && second === 0xfe ? 'utf-16le' : 'utf-8';
  const encoding = first === 0xfe && second === 0xff ? 'utf-16be' : marked;
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
