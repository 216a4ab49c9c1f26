import { randomUUID } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type CodedError, codedError, isCodedError, messageOf } from './errors.js';
import { adviceOf, errorCodeOf } from './system-error.js';

/** What the system's codes mean for a file that a user has named: what was found, and what helps. */
const REASONS: Readonly<Record<string, readonly [found: string, next: string]>> = {
  ENOENT: ['no folder {folder}', 'make it, or name a file in a folder that exists'],
  ENOTDIR: ['{folder}, which is no folder', 'name a file in a folder that exists'],
  EISDIR: ['a folder of this name', 'name a file in it'],
  EACCES: ['no permission to write there', 'name a file in a folder that this user may write'],
  EPERM: ['no permission to write there', 'name a file in a folder that this user may write'],
  EROFS: ['a file system that can only be read', 'name a file on another one'],
  ENOSPC: ['a full disk', 'free some of it, or name a file on another one'],
  EDQUOT: ['a share of the disk that is used up', 'free some of it, or name a file elsewhere'],
  SQLITE_FULL: ['a full disk', 'free some of it, or name a file on another one'],
  ENAMETOOLONG: ['a name that is too long', 'names have at most 255 bytes, a path 4095'],
  ELOOP: ['links that lead in a circle', 'name a file in another folder'],
  ETXTBSY: ['a program that runs', 'name another file'],
};

/** The folder is there, and the system knows no such file in it all the same. */
const NO_PLACE = [
  '{folder}, a folder in which the system makes no files, or a link that leads nowhere',
  'name a file in another folder',
] as const;

/**
 * The error of a file that a user has named and that cannot be written: MND_OUTPUT_FAILED, or the
 * coded error that it was already.
 */
export function resultFailed(file: string, cause: unknown): CodedError {
  if (isCodedError(cause)) return cause;
  const folder = dirname(resolve(file));
  const hasNoPlace = errorCodeOf(cause) === 'ENOENT' && existsSync(folder);
  const reason = hasNoPlace ? NO_PLACE : adviceOf(cause, REASONS);
  const [found, next] = reason ?? [
    messageOf(cause),
    'name a file in a folder that exists and can be written',
  ];
  return codedError('MND_OUTPUT_FAILED', {
    subject: shortened(file),
    // A function: `$&` in a path is no pattern.
    found: found.replace('{folder}', () => shortened(folder)),
    next,
    cause,
  });
}

/** A path that is too long for a file is too long for a line. */
function shortened(path: string): string {
  return path.length <= 160 ? path : `${path.slice(0, 60)}…${path.slice(-40)}`;
}

/**
 * Whether something stands where a user wants a file.
 *
 * @throws MND_OUTPUT_FAILED where that cannot be told, since no file could be written either
 */
export function resultStat(file: string): Stats | null {
  try {
    return statSync(file, { throwIfNoEntry: false }) ?? null;
  } catch (cause) {
    throw resultFailed(file, cause);
  }
}

/**
 * Tells before long work whether its result can be written: a file of the same folder is made and
 * removed again. Devices and pipes are not tried.
 *
 * @throws MND_OUTPUT_FAILED
 */
export function requireWritable(file: string): void {
  const there = resultStat(file);
  if (there !== null && !there.isFile() && !there.isDirectory()) return;
  if (there?.isDirectory())
    throw resultFailed(file, Object.assign(new Error(), { code: 'EISDIR' }));
  const part = partOf(file);
  try {
    writeFileSync(part, '', { flag: 'wx' });
  } catch (cause) {
    throw resultFailed(file, cause);
  } finally {
    remove(part);
  }
}

/**
 * Writes a file that a user has named: whole, or not at all, so that what was there before stays. What
 * is no file (a device, a pipe) is written in place, and what a link leads to stays behind the link.
 *
 * @throws MND_OUTPUT_FAILED
 */
export function writeResult(file: string, contents: string | Uint8Array): void {
  const there = resultStat(file);
  const inPlace = there !== null && (!there.isFile() || lstatSync(file).isSymbolicLink());
  const part = inPlace ? null : partOf(file);
  try {
    writeFileSync(part ?? file, contents, { mode: there === null ? 0o666 : there.mode });
    if (part !== null) renameSync(part, file);
  } catch (cause) {
    if (part !== null) remove(part);
    throw resultFailed(file, cause);
  }
}

function partOf(file: string): string {
  return join(dirname(resolve(file)), `.mobilenetd-${randomUUID().slice(0, 8)}`);
}

function remove(part: string): void {
  try {
    rmSync(part, { force: true });
  } catch {
    // What cannot be removed was never there.
  }
}
