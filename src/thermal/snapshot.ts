import { type ForeignLoadState, isForeignLoadState } from './law/foreign-load.js';
import { isObserverState, type ObserverState } from './law/observer-state.js';

/** What the governor knows about the board, for its next life. JSON-safe. */
export interface GovernorSnapshot {
  readonly version: 1;
  readonly observer: ObserverState;
  readonly foreign: ForeignLoadState;
  readonly guardC: number;
  /** Temperature at which this board was seen to throttle below its limit; null if never. */
  readonly throttleC: number | null;
}

/** The snapshot when it is whole and sound, else undefined: a damaged record is no record. */
export function readSnapshot(value: unknown): GovernorSnapshot | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const s = value as Partial<GovernorSnapshot>;
  const throttle = s.throttleC === null || Number.isFinite(s.throttleC);
  const whole = s.version === 1 && isObserverState(s.observer) && isForeignLoadState(s.foreign);
  return whole && throttle && Number.isFinite(s.guardC) ? (s as GovernorSnapshot) : undefined;
}
