import { isKnobHeat, type KnobHeat } from './knobs.js';

/** Time constants of the filters: die, board, case. */
export const TIME_CONSTANTS_S = [7, 90, 700] as const;
export const BANK = TIME_CONSTANTS_S.length;
/** Layout of the states: gains, then ratio, offset, slope; the heat of knobs comes after them. */
export const RATIO = BANK;
export const OFFSET = BANK + 1;
export const SLOPE = BANK + 2;
export const STATES = BANK + 3;

/** What is kept of an observer. */
export interface ObserverState {
  readonly knobs?: Readonly<Record<string, KnobHeat>>;
  readonly own: readonly number[];
  readonly foreign: readonly number[];
  readonly theta: readonly number[];
  readonly covariance: readonly (readonly number[])[];
}

/** True when a stored state can be used: sizes right, every number finite. */
export function isObserverState(value: unknown): value is ObserverState {
  if (typeof value !== 'object' || value === null) return false;
  const s = value as Partial<ObserverState>;
  return (
    isVector(s.own, BANK) &&
    isVector(s.foreign, BANK) &&
    Array.isArray(s.theta) &&
    isVector(s.theta.slice(0, OFFSET), OFFSET) &&
    Array.isArray(s.covariance) &&
    s.covariance.length === STATES &&
    s.covariance.every((row) => isVector(row, STATES)) &&
    Object.values(s.knobs ?? {}).every(isKnobHeat)
  );
}

function isVector(value: unknown, length: number): value is number[] {
  return Array.isArray(value) && value.length === length && value.every((x) => Number.isFinite(x));
}
