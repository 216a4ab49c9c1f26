import { writeFileSync } from 'node:fs';
import { messageOf } from '../../errors.js';
import type { Log } from '../../log.js';
import { readSmallText } from '../../small-file.js';

const MAX_BYTES = 1024 * 1024;

/** What a governor has learnt about a board, as it lies in the state folder. */
export interface LearntState {
  /** When it was written, milliseconds since the epoch. */
  readonly time: number;
  /** The law's own record. */
  readonly snapshot: unknown;
}

/** Null where there is none yet, or a damaged one: the board is learnt anew. */
export function readLearnt(file: string): LearntState | null {
  try {
    const found = JSON.parse(readSmallText(file, MAX_BYTES)) as Partial<LearntState> | null;
    if (typeof found?.time !== 'number' || found.snapshot === undefined) return null;
    return { time: found.time, snapshot: found.snapshot };
  } catch {
    return null;
  }
}

/** A disk that refuses is logged: the board then is learnt anew after the next start. */
export function saveLearnt(file: string, state: LearntState, log: Pick<Log, 'warn'>): void {
  try {
    writeFileSync(file, JSON.stringify(state));
  } catch (error) {
    log.warn({ err: error }, `what the governor learnt is not kept: ${messageOf(error)}`);
  }
}
