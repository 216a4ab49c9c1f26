import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { JOURNAL_SIZE_LIMIT } from './database.js';

/** After a full disk this much must be free again, or this share of the disk: bytes. */
const ROOM = { bytes: 2 * JOURNAL_SIZE_LIMIT, share: 0.05 };

/** Whether a disk that was full has room again for the database; true where that cannot be told. */
export function hasRoom(file: string): boolean {
  try {
    const { bavail, blocks, bsize } = statfsSync(dirname(file));
    return bavail * bsize >= Math.min(ROOM.bytes, ROOM.share * blocks * bsize);
  } catch {
    return true;
  }
}
