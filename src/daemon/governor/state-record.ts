import { writeFileSync } from 'node:fs';
import { messageOf } from '../../errors.js';
import type { Log } from '../../log.js';
import { readSmallText } from '../../small-file.js';

/** The object in a small JSON file of the state folder; null where there is none, or a damaged one. */
export function readRecord(
  file: string,
  mostBytes: number,
): Readonly<Record<string, unknown>> | null {
  try {
    const found: unknown = JSON.parse(readSmallText(file, mostBytes));
    return typeof found === 'object' && found !== null ? { ...found } : null;
  } catch {
    return null;
  }
}

/** @param what it is, for the log where the disk refuses: the daemon goes on without it */
export function saveRecord(
  file: string,
  record: object,
  what: string,
  log: Pick<Log, 'warn'>,
): void {
  try {
    writeFileSync(file, JSON.stringify(record));
  } catch (error) {
    log.warn({ err: error }, `${what} is not kept: ${messageOf(error)}`);
  }
}
