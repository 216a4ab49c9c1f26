import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import type { DatabaseFiles, Harm } from './files.js';

/**
 * Closes a connection whose files were harmed from outside, so that what stands at its path now is
 * not harmed in turn. SQLite ends a connection by writing the log into the file it has open and by
 * removing the log and its index by name, whose ever they are.
 */
export function releaseHarmed(
  file: string,
  files: DatabaseFiles,
  harm: Harm,
  close: () => void,
): void {
  if (harm === 'overwritten' || harm === 'log overwritten') releaseOverwritten(file, close);
  else if (harm !== 'log lost' && !files.hasOwnLog()) releaseBeside(file, close);
  else close();
}

/** Our log does not belong to the bytes that are in the file now, or is none: those are kept in a copy. */
function releaseOverwritten(file: string, close: () => void): void {
  const kept = `${file}.part`;
  try {
    copyFileSync(file, kept);
  } catch (error) {
    rmSync(kept, { force: true });
    throw error;
  }
  try {
    close();
  } finally {
    for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    renameSync(kept, file);
  }
}

/** The log at the path is another's. */
function releaseBeside(file: string, close: () => void): void {
  const theirs = ['-wal', '-shm'].map((suffix) => `${file}${suffix}`).filter(existsSync);
  for (const path of theirs) renameSync(path, `${path}.part`);
  try {
    close();
  } finally {
    for (const path of theirs) renameSync(`${path}.part`, path);
  }
}
