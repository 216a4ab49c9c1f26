import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type CodedError, codedError, isCodedError, messageOf } from './errors.js';
import { printable } from './printable.js';
import { adviceOf } from './system-error.js';

/** What the system's codes mean for a file that a user wants read: what was found, and what helps. */
const REASONS: Readonly<Record<string, readonly [found: string, next: string]>> = {
  ENOENT: [
    'nothing of this name in {folder}',
    'look for a slip in the name, or give the whole path',
  ],
  ENOTDIR: ['a file where the path needs a folder', 'give the path of the file itself'],
  EISDIR: ['a folder', 'name a file in it'],
  EACCES: ['no permission to read it', 'let this user read it (ls -l shows who may), or copy it'],
  EPERM: ['no permission to read it', 'let this user read it (ls -l shows who may), or copy it'],
  ENAMETOOLONG: ['a name that is too long', 'names have at most 255 bytes, a path 4095'],
  ELOOP: ['links that lead in a circle', 'name the file that was meant'],
  EIO: [
    'a disk that does not give it',
    'look into the kernel log (dmesg), and copy it from elsewhere',
  ],
  ENXIO: ['a socket, or a device that is not there', 'name a file'],
  EMFILE: ['too many open files', 'close other programs, or raise the limit (ulimit -n)'],
};

/**
 * The error of a file that a user has named and that cannot be read: MND_INPUT_MISSING, or the coded
 * error that it was already.
 *
 * @param expected e.g. `a picture`
 */
export function inputFailed(file: string, expected: string, cause: unknown): CodedError {
  if (isCodedError(cause)) return cause;
  const reason = adviceOf(cause, REASONS);
  const [found, next] = reason ?? [messageOf(cause), 'name a file that can be read'];
  return codedError('MND_INPUT_MISSING', {
    subject: shortened(file),
    expected,
    // A function: `$&` in a path is no pattern.
    found: printable(found.replace('{folder}', () => shortened(dirname(resolve(file))))),
    next,
    cause,
  });
}

/**
 * The text of a file that a user has named, or of a pipe, which a shell makes of `<(…)`.
 *
 * @param limit in bytes; of a pipe it is not known before
 * @throws MND_INPUT_MISSING
 */
export async function readInputText(
  file: string,
  expected: string,
  limit: number,
): Promise<string> {
  try {
    const found = await stat(file);
    if (!found.isFile() && !found.isFIFO()) throw noFile(file, expected, found.isDirectory());
    if (found.size > limit) throw new Error(`${found.size} bytes, more than ${limit}`);
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw inputFailed(file, expected, cause);
  }
}

/** The error of what a user has named and is no file: a folder, a device, a pipe. */
export function noFile(file: string, expected: string, isFolder: boolean): CodedError {
  if (isFolder) return inputFailed(file, expected, Object.assign(new Error(), { code: 'EISDIR' }));
  return codedError('MND_INPUT_MISSING', {
    subject: shortened(file),
    expected,
    found: 'a device, a pipe or a socket',
    next: 'name a file',
  });
}

/** A path that is too long for a file is too long for a line. */
function shortened(path: string): string {
  const text = printable(path);
  return text.length <= 160 ? text : `${text.slice(0, 60)}…${text.slice(-40)}`;
}
