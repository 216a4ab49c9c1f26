import { codedError } from '../errors.js';

/** When a camera runs. */
export interface Schedule {
  /** Whether it runs at this wall time, milliseconds since the epoch. */
  isOpen(time: number): boolean;
  /** For people: the spans as they were given. */
  readonly text: string;
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const MINUTES_OF_DAY = 24 * 60;
const SPAN = /^(?:([a-z,-]+) )?(\d{2}):(\d{2})-(\d{2}):(\d{2})$/;

interface Span {
  /** Days on which it begins, Monday 0. */
  readonly days: ReadonlySet<number>;
  /** Minutes since midnight; a span that ends at or before its beginning lasts into the next day. */
  readonly from: number;
  readonly to: number;
}

/**
 * Spans such as `mon-fri 08:00-18:00`, `sat,sun 10:00-24:00` or `22:00-06:00` (every day, over
 * midnight; the day is the one on which it begins). They are read on the clock of `timeZone` (an IANA
 * name; null: the system's), so that summer time moves them along with everybody's day. Throws
 * MND_CONFIG_INVALID.
 */
export function createSchedule(spans: readonly string[], timeZone: string | null): Schedule {
  const parsed = spans.map(parseSpan);
  const clock = wallClock(timeZone);
  return {
    text: spans.join('; '),
    isOpen(time) {
      const { day, minute } = clock(time);
      const before = (day + 6) % 7;
      return parsed.some(({ days, from, to }) =>
        from < to
          ? days.has(day) && minute >= from && minute < to
          : (days.has(day) && minute >= from) || (days.has(before) && minute < to),
      );
    },
  };
}

function parseSpan(text: string): Span {
  const match = SPAN.exec(text.trim().toLowerCase().replace(/\s+/g, ' '));
  const days = match === null ? null : parseDays(match[1]);
  const [from, to] = [minutesOf(match?.[2], match?.[3]), minutesOf(match?.[4], match?.[5])];
  if (days !== null && from !== null && to !== null && from < MINUTES_OF_DAY) {
    return { days, from, to };
  }
  throw codedError('MND_CONFIG_INVALID', {
    subject: 'schedule',
    expected: 'spans such as "mon-fri 08:00-18:00" or "22:00-06:00"',
    found: JSON.stringify(text),
  });
}

function parseDays(text: string | undefined): Set<number> | null {
  if (text === undefined) return new Set(DAYS.keys());
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [first, last = first, ...more] = part.split('-').map((name) => indexOfDay(name));
    if (first === undefined || last === undefined || more.length > 0) return null;
    if (first < 0 || last < 0) return null;
    for (let day = first; ; day = (day + 1) % DAYS.length) {
      days.add(day);
      if (day === last) break;
    }
  }
  return days;
}

function indexOfDay(name: string): number {
  return (DAYS as readonly string[]).indexOf(name);
}

function minutesOf(hours: string | undefined, minutes: string | undefined): number | null {
  const [hour, minute] = [Number(hours), Number(minutes)];
  const total = hour * 60 + minute;
  return minute < 60 && total <= MINUTES_OF_DAY ? total : null;
}

/** Weekday (Monday 0) and minutes since midnight on a zone's clock. */
function wallClock(timeZone: string | null): (time: number) => { day: number; minute: number } {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...(timeZone !== null && { timeZone }),
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (time) => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
    return {
      day: indexOfDay((parts.get('weekday') ?? '').toLowerCase()),
      minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
    };
  };
}
