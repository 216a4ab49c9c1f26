import { PASSWORD_HASH } from '../../mqtt/broker/password.js';

/** Kinds of value that a key accepts; they tell how the text of an environment variable is read. */
export type Kind = 'null' | 'boolean' | 'number' | 'text' | 'list';

/** What is wrong with a value, and where inside it (`['1', '0']`: first item of the second item). */
export interface Fault {
  readonly path: readonly string[];
  readonly expected: string;
}

/** A type of value: says what it expects and finds what does not fit. */
export interface Format<T> {
  /** Sentence fragment for messages and documentation. */
  readonly expected: string;
  readonly kinds: readonly Kind[];
  /** Null when the value fits. */
  fault(value: unknown): Fault | null;
  /** Never set; carries the type. */
  readonly type?: T;
}

function format<T>(
  kinds: readonly Kind[],
  expected: string,
  fits: (value: unknown) => boolean,
): Format<T> {
  return {
    kinds,
    expected,
    fault: (value) => (fits(value) ? null : { path: [], expected }),
  };
}

/** Finite number of the closed range [min, max]; `unit` is shown, e.g. `seconds`. */
export function number(min: number, max: number, unit = ''): Format<number> {
  const suffix = unit === '' ? '' : ` ${unit}`;
  return format(
    ['number'],
    `a number from ${min} to ${max}${suffix}`,
    (value) => typeof value === 'number' && value >= min && value <= max,
  );
}

export function integer(min: number, max: number, unit = ''): Format<number> {
  const suffix = unit === '' ? '' : ` ${unit}`;
  return format(
    ['number'],
    `a whole number from ${min} to ${max}${suffix}`,
    (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
  );
}

export const boolean: Format<boolean> = format(
  ['boolean'],
  'true or false',
  (value) => typeof value === 'boolean',
);

export function oneOf<const T extends string | number>(...values: readonly T[]): Format<T> {
  const kinds: Kind[] = values.some((value) => typeof value === 'number') ? ['number'] : ['text'];
  return format(kinds, orList(values.map(String)), (value) =>
    values.some((known) => known === value),
  );
}

const CONTROL = /\p{Cc}/u;

/** Text that satisfies `pattern`, 1 to `limit` characters, without control characters. */
export function text(expected = 'text', pattern = /./u, limit = 1024): Format<string> {
  return format(
    ['text'],
    expected,
    (value) =>
      typeof value === 'string' &&
      value.length <= limit &&
      pattern.test(value) &&
      !CONTROL.test(value),
  );
}

/** Text of any characters but none of length 0; for passwords. */
export const secret: Format<string> = format(
  ['text'],
  'text',
  (value) => typeof value === 'string' && value.length > 0 && value.length <= 65_535,
);

export function nullable<T>(inner: Format<T>): Format<T | null> {
  return {
    kinds: ['null', ...inner.kinds],
    expected: `${inner.expected}, or null`,
    fault: (value) => (value === null ? null : inner.fault(value)),
  };
}

/** A value of one format or of the other; a list is judged by the format that takes lists. */
export function either<A, B>(first: Format<A>, second: Format<B>): Format<A | B> {
  const expected = `${first.expected}, or ${second.expected}`;
  return {
    kinds: [...first.kinds, ...second.kinds],
    expected,
    fault(value) {
      const faults = [first.fault(value), second.fault(value)];
      if (faults.includes(null)) return null;
      return (
        faults.find((fault) => fault !== null && fault.path.length > 0) ?? { path: [], expected }
      );
    },
  };
}

export function list<T>(
  item: Format<T>,
  what: string,
  limits: { readonly min?: number; readonly max?: number } = {},
): Format<readonly T[]> {
  const { min = 0, max = 10_000 } = limits;
  const size = min === 0 ? '' : ` (at least ${min})`;
  const expected = `a list of ${what}${size}`;
  return {
    kinds: ['list'],
    expected,
    fault(value) {
      if (!Array.isArray(value) || value.length < min || value.length > max) {
        return { path: [], expected };
      }
      return firstFault(value, () => item);
    },
  };
}

/** A list of exactly these items. */
export function tuple<T extends readonly unknown[]>(
  expected: string,
  ...items: { readonly [K in keyof T]: Format<T[K]> }
): Format<T> {
  return {
    kinds: ['list'],
    expected,
    fault(value) {
      if (!Array.isArray(value) || value.length !== items.length) return { path: [], expected };
      return firstFault(value, (index) => items[index]);
    },
  };
}

function firstFault(
  values: readonly unknown[],
  formatOf: (index: number) => Format<unknown> | undefined,
): Fault | null {
  for (const [index, value] of values.entries()) {
    const fault = formatOf(index)?.fault(value) ?? null;
    if (fault !== null) return { ...fault, path: [String(index), ...fault.path] };
  }
  return null;
}

/** One level of a topic, and safe as a part of entity ids and file names. */
export const topicName = text(
  'a name of letters, digits, "-" and "_", beginning with a letter or digit, at most 64 characters',
  /^[A-Za-z0-9][A-Za-z0-9_-]*$/,
  64,
);

/** One or more levels of a topic (MQTT 5, 4.7: no wildcards, `$` is the broker's). */
export const topicPrefix = text(
  'topic levels separated by "/", without "+", "#", a leading "$" or empty levels',
  /^(?!\$)[^+#/]+(\/[^+#/]+)*$/,
  200,
);

/** Client id of MQTT; without what brokers may not take or use in access rules. */
export const clientId = text(
  'letters, digits, "-", "_", "." and ":", at most 128 characters',
  /^[A-Za-z0-9._:-]+$/,
  128,
);

/** As {@link ../mqtt/password.js!hashPassword} writes it; whether it can be checked is seen there. */
export const passwordHash = text(
  'a hash as `mobilenetd config hash-password` prints it',
  PASSWORD_HASH,
  256,
);

const DAY = '(?:mon|tue|wed|thu|fri|sat|sun)';
const DAYS = `${DAY}(?:-${DAY})?`;
const HOUR = '(?:[01]\\d|2[0-3])';

/** A span of a schedule: days if not all, and from when to when. */
export const scheduleSpan = text(
  'a span such as "mon-fri 08:00-18:00", "sat,sun 10:00-24:00" or "22:00-06:00"',
  new RegExp(`^(?:${DAYS}(?:,${DAYS})* )?${HOUR}:[0-5]\\d-(?:${HOUR}:[0-5]\\d|24:00)$`, 'i'),
  100,
);

/** A name of the IANA time zone database that this system knows. */
export const timeZone: Format<string> = format(
  ['text'],
  'a time zone such as Europe/Berlin',
  (value) => typeof value === 'string' && isTimeZone(value),
);

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** A label as a model names it. */
export const label = text('a label', /\S/, 200);

export const filePath = text('a path', /\S/, 4096);

export const absolutePath = text('an absolute path', /^\//, 4096);

/** Address of one of the schemes; what stands in it is checked by the platform's URL parser. */
export function address(...schemes: readonly string[]): Format<string> {
  return format(
    ['text'],
    `an address that begins with ${orList(schemes.map((s) => `${s}://`))}`,
    (value) => {
      if (typeof value !== 'string' || value.length > 2048 || CONTROL.test(value)) return false;
      const url = URL.canParse(value) ? new URL(value) : null;
      return url !== null && url.hostname !== '' && schemes.includes(url.protocol.slice(0, -1));
    },
  );
}

/** Address of a web page, which others will see: without a user name and a password. */
export const pageAddress: Format<string> = format(
  ['text'],
  'an address that begins with http:// or https://, without a user name and a password',
  (value) => {
    if (address('http', 'https').fault(value) !== null) return false;
    const { username, password } = new URL(value as string);
    return `${username}${password}` === '';
  },
);

/** `host:port`, `[ipv6]:port`; port 0 lets the system choose. */
export const listen: Format<string> = format(
  ['text'],
  'host:port, e.g. 127.0.0.1:1883',
  (value) => typeof value === 'string' && splitListen(value) !== null,
);

function splitListen(value: string): { host: string; port: number } | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(value);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? null : { host, port };
}

/** Takes a checked `host:port` apart; the host of `[::1]:1883` is `::1`. */
export function parseListen(value: string): { readonly host: string; readonly port: number } {
  const parts = splitListen(value);
  if (parts === null) throw new TypeError(`not host:port: ${value}`);
  return parts;
}

const SIZE = /^(\d+(?:\.\d+)?) ?(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$/;
const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

function bytesOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  const match = typeof value === 'string' ? SIZE.exec(value) : null;
  const unit = UNITS[match?.[2] ?? ''];
  return match === null || unit === undefined ? null : Math.round(Number(match[1]) * unit);
}

/** Amount of storage: bytes, or a number with a unit (kB, MB, GB are powers of 1000). */
export function storage(min: number, minText: string): Format<string | number> {
  return format(
    ['number', 'text'],
    `a size such as 500MB, 1GB or 2GiB, at least ${minText}`,
    (value) => {
      const bytes = bytesOf(value);
      return bytes !== null && Number.isSafeInteger(bytes) && bytes >= min;
    },
  );
}

/** Bytes of a checked size: `1GB` is 1e9, `1GiB` is 2^30. */
export function parseSize(value: string | number): number {
  const bytes = bytesOf(value);
  if (bytes === null) throw new TypeError(`not a size: ${value}`);
  return bytes;
}

/** `a, b or c`. */
export function orList(values: readonly string[]): string {
  const last = values.at(-1) ?? '';
  return values.length < 2 ? last : `${values.slice(0, -1).join(', ')} or ${last}`;
}

export const auto = oneOf('auto');

export const modelName = text('"auto" or the name of a model', /^[A-Za-z0-9][A-Za-z0-9._-]*$/, 128);
