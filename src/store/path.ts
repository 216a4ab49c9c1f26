import { join } from 'node:path';

/** Where the database is in a state folder. */
export function databaseFile(stateDir: string): string {
  return join(stateDir, 'mobilenetd.db');
}

/**
 * SQLite takes no path beyond 512 bytes, that of its journal included
 * (https://www.sqlite.org/limits.html does not say; `unixOpen` does).
 */
export const LONGEST_PATH = 512 - '-journal'.length - 1;
