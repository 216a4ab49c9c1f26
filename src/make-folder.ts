import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** What we make is the state of one user: nobody else's to read, whoever of the commands makes it. */
const PRIVATE_MODE = 0o700;

/**
 * Makes a folder and those above it that are missing. Level by level, since Node 20's own
 * `recursive` never returns where a file system lets nothing be made and says ENOENT, as /proc does.
 *
 * @throws what the system says: EACCES, EROFS, ENOENT on /proc, EEXIST when a file has the name
 */
export function makeFolder(folder: string, mode: number = PRIVATE_MODE): void {
  const missing: string[] = [];
  for (let level = resolve(folder); !existsSync(level); level = dirname(level)) missing.push(level);
  for (const level of missing.reverse()) makeLevel(level, mode);
  // There was something already: only a folder will do.
  if (missing.length === 0) makeLevel(resolve(folder), mode);
}

function makeLevel(level: string, mode: number): void {
  try {
    mkdirSync(level, { mode });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!isFolder(level)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
