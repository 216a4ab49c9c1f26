/** What an energy budget is for: it is given anew at each local midnight, or each full hour. */
export type EnergyPer = 'day' | 'hour';

export interface Period {
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
}

/** The local day or hour that a moment lies in; days of summer time's changes have 23 or 25 hours. */
export function periodOf(nowMs: number, per: EnergyPer): Period {
  const start = new Date(nowMs);
  start.setMinutes(0, 0, 0);
  if (per === 'day') start.setHours(0);
  const end = new Date(start);
  if (per === 'day') end.setDate(end.getDate() + 1);
  else end.setTime(end.getTime() + 3_600_000);
  return { startMs: start.getTime(), endMs: end.getTime() };
}
