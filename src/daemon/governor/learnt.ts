import type { Log } from '../../log.js';
import { readRecord, saveRecord } from './state-record.js';

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
  const { time, snapshot } = readRecord(file, MAX_BYTES) ?? {};
  return typeof time === 'number' && snapshot !== undefined ? { time, snapshot } : null;
}

/** A disk that refuses is logged: the board then is learnt anew after the next start. */
export function saveLearnt(file: string, state: LearntState, log: Pick<Log, 'warn'>): void {
  saveRecord(file, state, 'what the governor learnt', log);
}
