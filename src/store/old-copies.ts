import { messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { removeOldCopies } from './migrations.js';

/** How long a new version runs before the copies from before its upgrade go, ms. */
const COPIES_KEPT_MS = 7 * 86_400_000;

/** Removes copies of a database from before an upgrade that has run well; `now` in milliseconds since the epoch. */
export function dropOldCopies(file: string, now: number, log: Log): void {
  try {
    const removed = removeOldCopies(file, now - COPIES_KEPT_MS);
    if (removed.length === 0) return;
    const names = removed.join(', ');
    log.info({}, `removed copies from before an upgrade that has run well: ${names}`);
  } catch (error) {
    log.debug({}, `old copies stay: ${messageOf(error)}`);
  }
}
