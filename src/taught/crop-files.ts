import { randomBytes } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder, writeDurably } from '../durable-file.js';
import { ASK_AS_SERVICE, codedError } from '../errors.js';
import { errorCodeOf, type SystemAdvice, systemDetail } from '../system-error.js';
import type { TaughtTask } from './task.js';

/** One picture that was taught, as a JPEG in a file of its own. */
export interface Crop {
  readonly task: TaughtTask;
  /** Null: it shows none of the task's labels. */
  readonly label: string | null;
  /** Names it among all crops: what it shows, and how it came. */
  readonly id: string;
  /** The batch that it came with; later ones are greater. */
  readonly batch: string;
  readonly file: string;
  readonly bytes: number;
}

/** `<batch>-<hash of the bytes>.jpg`. */
const CROP = /^([0-9a-z]{9}[0-9a-f]{6})-([0-9a-f]{16})\.jpg$/;
/** Unfinished: a crop that is being written. */
const PART = '.part';
/** A crop that another process is writing is finished by then, ms. */
const UNFINISHED_MS = 600_000;

/** What is in a folder, in order; nothing where there is none. @throws MND_TEACH_DISK */
export async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw diskError(folder, cause);
  }
}

export async function cropsIn(
  task: TaughtTask,
  label: string | null,
  folder: string,
): Promise<Crop[]> {
  const crops: Crop[] = [];
  for (const { name } of await entriesOf(folder)) {
    const batch = CROP.exec(name)?.[1];
    if (batch === undefined) continue;
    const file = join(folder, name);
    // One that is being removed meanwhile is none.
    const bytes = await stat(file).then(
      (found) => (found.isFile() ? found.size : null),
      () => null,
    );
    if (bytes !== null) {
      crops.push({ task, label, id: name.slice(0, -'.jpg'.length), batch, file, bytes });
    }
  }
  return crops;
}

export async function sweepParts(folder: string, now: number): Promise<void> {
  for (const { name } of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (!name.endsWith(PART)) continue;
    const file = join(folder, name);
    const found = await stat(file).catch(() => null);
    if (found !== null && now - found.mtimeMs > UNFINISHED_MS) await rm(file, { force: true });
  }
}

/** A file comes into its place when it is on the disk as a whole, or not at all. */
export async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const part = `${file}.${randomBytes(4).toString('hex')}${PART}`;
  try {
    await writeDurably(part, bytes, 0o600);
    await rename(part, file);
    // A file system that cannot say so is left alone.
    await syncFolder(dirname(file)).catch(() => {});
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw error;
  }
}

const FULL = 'make room on the disk; nothing was kept by half';
const IN_THE_WAY = 'move away what has the name of one of our folders or files';

const ADVICE: SystemAdvice = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EROFS: 'mount it for writing; a card that fails is mounted for reading only',
  ENOTDIR: IN_THE_WAY,
  EEXIST: IN_THE_WAY,
  EISDIR: IN_THE_WAY,
  EACCES: ASK_AS_SERVICE,
  EPERM: ASK_AS_SERVICE,
};

export function diskError(subject: string, cause: unknown): Error {
  const detail = systemDetail(cause, ADVICE, 'run: mobilenetd doctor');
  return codedError('MND_TEACH_DISK', { subject, ...detail });
}

export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(errorCodeOf(error) ?? '');
}
