import { getTimes } from 'suncalc';
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
const MINUTE_MS = 60_000;

const HOUR = '(?:[01]\\d|2[0-3]):[0-5]\\d';
const MOMENT = `(?:${HOUR}|24:00|sun(?:rise|set)(?:[+-]${HOUR})?)`;
const SPAN = new RegExp(`^(?:([a-z]{3}(?:[,-][a-z]{3})*) )?(${MOMENT}) ?- ?(${MOMENT})$`);

/** A time of day by the clock, or by the sun: minutes since midnight, or before or after it. */
interface Moment {
  readonly sun: 'sunrise' | 'sunset' | null;
  readonly minutes: number;
}

interface Span {
  /** Days on which it begins, Monday 0. */
  readonly days: ReadonlySet<number>;
  /** A span that ends at or before its beginning lasts into the next day. */
  readonly from: Moment;
  readonly to: Moment;
}

/** Where the sun is looked at: degrees north and east. */
export type Location = readonly [latitude: number, longitude: number];

/**
 * Spans such as `mon-fri 08:00-18:00`, `sat,sun 10:00-24:00`, `22:00-06:00` (every day, over midnight;
 * the day is the one on which it begins) or `sunset-00:30 - sunrise`. They are read on the clock of
 * `timeZone` (an IANA name; null: the system's), so that summer time moves them along with everybody's
 * day. Throws MND_CONFIG_INVALID, also where the sun is asked for and there is no location.
 */
export function createSchedule(
  spans: readonly string[],
  timeZone: string | null,
  location: Location | null = null,
): Schedule {
  const parsed = spans.map((text) => {
    const span = parseSpan(text);
    if (span !== null && (location !== null || !needsSun(span))) return span;
    throw codedError('MND_CONFIG_INVALID', {
      subject: 'schedule',
      expected: span === null ? EXPECTED : 'a location, for sunrise and sunset',
      found: JSON.stringify(text),
    });
  });
  const clock = wallClock(timeZone);
  return {
    text: spans.join('; '),
    isOpen(time) {
      const { day, minute } = clock(time);
      const sun = sunOf(time, minute, clock, location);
      return parsed.some((span) => {
        const [from, to] = extentOf(span, sun);
        // Offsets from the sun lead into the day before and the day after.
        return [-1, 0, 1].some((away) => {
          const at = minute - away * MINUTES_OF_DAY;
          return span.days.has((day + away + 7) % 7) && at >= from && at < to;
        });
      });
    },
  };
}

const EXPECTED = 'spans such as "mon-fri 08:00-18:00", "22:00-06:00" or "sunset-00:30 - sunrise"';

/** Whether a text is a span, for the check of the configuration. */
export function isScheduleSpan(text: string): boolean {
  return parseSpan(text) !== null;
}

/** Whether a schedule follows the sun, and so needs a location. */
export function followsSun(spans: readonly string[]): boolean {
  return spans.some((text) => {
    const span = parseSpan(text);
    return span !== null && needsSun(span);
  });
}

function needsSun({ from, to }: Span): boolean {
  return from.sun !== null || to.sun !== null;
}

function parseSpan(text: string): Span | null {
  const match = SPAN.exec(text.trim().toLowerCase().replace(/\s+/g, ' '));
  const days = match === null ? null : parseDays(match[1]);
  const [from, to] = [parseMoment(match?.[2]), parseMoment(match?.[3])];
  if (days === null || from === null || to === null) return null;
  return from.sun === null && from.minutes >= MINUTES_OF_DAY ? null : { days, from, to };
}

function parseMoment(text: string | undefined): Moment | null {
  const match = /^(sunrise|sunset)?([+-])?(?:(\d{2}):(\d{2}))?$/.exec(text ?? 'none');
  if (match === null) return null;
  const [, sun, sign, hours = '0', minutes = '0'] = match;
  const total = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  return { sun: sun === 'sunrise' || sun === 'sunset' ? sun : null, minutes: total };
}

const NOON = MINUTES_OF_DAY / 2;
/** What begins with the sunrise and ends this early in the day ends on the next one. */
const SMALL_HOURS = 3 * 60;
const NEVER = [0, 0] as const;

/** From when to when a span lasts, minutes since the midnight of its day; the same twice: it does not. */
function extentOf(span: Span, sun: Sun): readonly [from: number, to: number] {
  const { from: first, to: last } = span;
  if (sun.always !== null && first.sun !== null) {
    const isDay = first.sun === 'sunrise' && last.sun === 'sunset';
    const isNight = first.sun === 'sunset' && last.sun === 'sunrise';
    if (sun.always === 'up' ? isDay : isNight) return [0, MINUTES_OF_DAY];
    // What begins with something that does not happen does not begin.
    if (last.sun !== null || first.sun === (sun.always === 'up' ? 'sunset' : 'sunrise'))
      return NEVER;
  }
  const from = minuteOf(first, sun);
  const to = minuteOf(last, sun) + (isOvernight(span) ? MINUTES_OF_DAY : 0);
  return to > from ? [from, to] : NEVER;
}

/**
 * Whether a span ends on the day after. The sun moves through the year past what the clock says: `16:00-sunset` is
 * nothing on a day when it sets before, and not the night and the day that follow.
 */
function isOvernight({ from, to }: Span): boolean {
  if (from.sun === to.sun) return to.minutes <= from.minutes;
  if (to.sun === 'sunset') return false;
  if (to.sun === 'sunrise') return from.sun !== null || from.minutes >= NOON;
  return to.minutes <= (from.sun === 'sunset' ? NOON : SMALL_HOURS);
}

/** Minutes since midnight at which the sun rises and sets. */
interface Sun {
  readonly sunrise: number;
  readonly sunset: number;
  /** The sun does not set (`up`), or does not rise (`down`); null: it does both. */
  readonly always: 'up' | 'down' | null;
}

function minuteOf({ sun, minutes }: Moment, today: Sun): number {
  return sun === null ? minutes : today[sun] + minutes;
}

/** A sunset before this minute is that of the day before; a sunrise after this one, of the day after. */
const NIGHT = { sunset: 6 * 60, sunrise: 18 * 60 };

/**
 * The sun's day on the clock. In summer near the poles it can set after midnight. Where it does not set it has
 * risen at midnight and sets at the next; where it does not rise, both are at noon.
 */
function sunOf(
  time: number,
  minute: number,
  clock: (time: number) => { readonly minute: number },
  location: Location | null,
): Sun {
  if (location === null) return { sunrise: 0, sunset: 0, always: null };
  const noon = time + (MINUTES_OF_DAY / 2 - minute) * MINUTE_MS;
  const { sunrise, sunset, alwaysUp } = getTimes(new Date(noon), ...location);
  if (sunrise === null || sunset === null) {
    return alwaysUp === true
      ? { sunrise: 0, sunset: MINUTES_OF_DAY, always: 'up' }
      : { sunrise: NOON, sunset: NOON, always: 'down' };
  }
  const [rises, sets] = [clock(sunrise.getTime()).minute, clock(sunset.getTime()).minute];
  return {
    sunrise: rises > NIGHT.sunrise ? rises - MINUTES_OF_DAY : rises,
    sunset: sets < NIGHT.sunset ? sets + MINUTES_OF_DAY : sets,
    always: null,
  };
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
