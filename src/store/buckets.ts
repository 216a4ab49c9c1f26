import type { StaySummary } from './query.js';

export type BucketUnit = 'hour' | 'day';

const HOUR_MS = 3_600_000;

/** A label in an hour or a day of local time. */
export interface Bucket {
  /** Beginning of the hour or day, ms. */
  readonly time: number;
  readonly label: string;
  /** Events that began in it. */
  readonly events: number;
  /** Milliseconds in which the label was present; stays of two cameras count twice. */
  readonly presentMs: number;
  /** Best score of the events that reach into it, 0 to 1. */
  readonly best: number;
}

export interface BucketSpan {
  readonly unit: BucketUnit;
  /** What lies before and after is not counted, ms. */
  readonly since: number | null;
  readonly until: number;
  /** Where open events end. */
  readonly now: number;
}

/** Sums events up by hour or day and label, in order of time. */
export function countBuckets(
  events: Iterable<StaySummary>,
  { unit, since, until, now }: BucketSpan,
): Bucket[] {
  const buckets = new Map<string, { -readonly [K in keyof Bucket]: Bucket[K] }>();
  for (const { label, score, start, end } of events) {
    const from = Math.max(start, since ?? start);
    const to = Math.min(Math.max(end ?? now, start), until);
    for (let time = beginOf(from, unit); time <= to; ) {
      const next = nextOf(time, unit);
      const key = `${time} ${label}`;
      const bucket = buckets.get(key) ?? { time, label, events: 0, presentMs: 0, best: 0 };
      buckets.set(key, bucket);
      if (start >= time && start < next && start === from) bucket.events += 1;
      bucket.presentMs += Math.max(0, Math.min(to, next) - Math.max(from, time));
      bucket.best = Math.max(bucket.best, score);
      time = next;
    }
  }
  return [...buckets.values()].sort((a, b) => a.time - b.time || (a.label < b.label ? -1 : 1));
}

/** An hour by the offset that holds then: one that the clock shows twice is two. */
function beginOf(time: number, unit: BucketUnit): number {
  const at = new Date(time);
  if (unit === 'day') return at.setHours(0, 0, 0, 0);
  const offset = at.getTimezoneOffset() * -60_000;
  return time - modulo(time + offset, HOUR_MS);
}

/**
 * Days of summer time have 23 or 25 hours, and where it begins at midnight a day begins at one. Where the clock is
 * moved by half an hour, so long is an hour.
 */
function nextOf(time: number, unit: BucketUnit): number {
  if (unit === 'hour') return beginOf(time + HOUR_MS, unit);
  const at = new Date(time);
  at.setDate(at.getDate() + 1);
  return at.setHours(0, 0, 0, 0);
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
