import { statfs } from 'node:fs/promises';
import { ASK_AS_SERVICE, codedError, isCodedError } from '../../errors.js';
import { adviceOf, type SystemAdvice, systemDetail } from '../../system-error.js';

const FOREIGN = `${ASK_AS_SERVICE}; or name a models_dir of your own`;

const ADVICE: SystemAdvice = {
  ENOSPC: 'make room and try again',
  EDQUOT: 'make room and try again',
  EACCES: FOREIGN,
  EPERM: FOREIGN,
  EROFS: 'choose another models_dir',
  ENOTDIR: 'choose another models_dir',
};

/** Room that stays free on a disk, bytes. */
const SPARE_BYTES = 8 * 1024 * 1024;

export function isDiskError(error: unknown): boolean {
  return adviceOf(error, ADVICE) !== undefined;
}

/** An error of the disk as MND_MODEL_UNWRITABLE; every other error as it is. */
export function asDiskError(error: unknown, folder: string): unknown {
  if (isCodedError(error) || !isDiskError(error)) return error;
  return codedError('MND_MODEL_UNWRITABLE', {
    subject: folder,
    ...systemDetail(error, ADVICE, 'try again'),
  });
}

/** @throws MND_MODEL_UNWRITABLE if the disk has no room for so many bytes */
export async function requireRoom(bytes: number, folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes + SPARE_BYTES) return;
  throw codedError('MND_MODEL_UNWRITABLE', {
    subject: folder,
    expected: `${Math.ceil((bytes + SPARE_BYTES) / 1e6)} MB of free disk`,
    found: `${Math.floor(free / 1e6)} MB`,
    next: 'make room and try again',
  });
}
