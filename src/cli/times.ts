import { codedError } from '../errors.js';
import { systemClock } from '../time.js';

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DATE =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?(Z|[+-]\d{2}:\d{2})?)?$/;
const EXAMPLES =
  'a time such as 90s, 30m, 1h, 7d, 2026-05-01 or 2026-05-01T18:00 (local, or with Z)';

/** What help texts say of times. */
export const TIME_HELP =
  'Times are "90s", "30m", "1h", "7d", "2w" before now, or a date such as 2026-05-01 or\n' +
  '2026-05-01T18:00, in local time unless it ends in Z or in an offset such as +02:00.';

/**
 * Parser of an option that is a moment, as milliseconds since the epoch: a time before now, or a date,
 * which alone is local midnight. Throws MND_USAGE, also for a moment that does not exist.
 */
export function timeOption(
  name: string,
  now: () => number = systemClock.wall,
): (text: string) => number {
  return (text) => {
    const time = ago(text, now()) ?? dateOf(text);
    if (time !== null && Number.isFinite(new Date(time).getTime())) return time;
    throw codedError('MND_USAGE', {
      subject: name,
      expected: EXAMPLES,
      found: JSON.stringify(text),
    });
  };
}

function ago(text: string, now: number): number | null {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return null;
  return now - Number(amount) * (UNITS[unit] ?? 0);
}

/** Null for what is no date, or none that exists: 30 February, or an hour that summer time skips. */
function dateOf(text: string): number | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((text) => Number(text ?? 0));
  const ms = Number((match[7] ?? '').padEnd(3, '0'));
  const zone = match[8];
  const fields = [year, month - 1, day, hour, minute, second, ms] as const;
  const utc = new Date(Date.UTC(...fields));
  if (!sameAs(fields, utc.toISOString())) return null;
  if (zone !== undefined) return withOffset(utc.getTime(), zone);
  const local = new Date(...fields);
  const localFields = [
    local.getFullYear(),
    local.getMonth(),
    local.getDate(),
    local.getHours(),
    local.getMinutes(),
  ];
  return localFields.every((value, index) => value === fields[index]) ? local.getTime() : null;
}

function sameAs(fields: readonly number[], iso: string): boolean {
  const found = iso.match(/\d+/g)?.map(Number) ?? [];
  return fields.every((value, index) => found[index] === (index === 1 ? value + 1 : value));
}

function withOffset(utc: number, zone: string): number | null {
  if (zone === 'Z') return utc;
  const [hours = 0, minutes = 0] = zone.slice(1).split(':').map(Number);
  if (hours > 14 || minutes > 59) return null;
  return utc - (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** Throws MND_USAGE when the end is not after the beginning. */
export function requireSpan(since: number | undefined, until: number | undefined): void {
  if (since === undefined || until === undefined || since < until) return;
  throw codedError('MND_USAGE', {
    subject: '--until',
    expected: 'a time after that of --since',
    found: `${localTime(until)}, which is not after ${localTime(since)}`,
  });
}

/** E.g. `2026-05-01 18:00:07`, in local time: for people. */
export function localTime(milliseconds: number): string {
  const at = new Date(milliseconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** E.g. `7.3 s`, `12 min`, `3.5 h`, `2.0 d`: at most seven characters. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 5970) return `${Math.round(seconds / 60)} min`;
  if (seconds < 99 * 3600) return `${(seconds / 3600).toFixed(1)} h`;
  return `${(seconds / 86_400).toFixed(seconds < 99 * 86_400 ? 1 : 0)} d`;
}
