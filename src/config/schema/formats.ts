import { splitAddress } from '../../address.js';
import { isScheduleSpan } from '../../camera/schedule.js';
import { PASSWORD_HASH } from '../../mqtt/broker/password.js';
import type { Format } from '../../schema/format.js';
import { format, text } from '../../schema/format.js';
import { listenMeant, storageMeant } from '../../schema/hints.js';
import { address } from '../../schema/text.js';

/** One or more levels of a topic (MQTT 5, 4.7: no wildcards, `$` is the broker's). */
export const topicPrefix = text(
  'topic levels separated by "/", without "+", "#", a leading "$" or empty levels',
  /^(?!\$)[^+#/]+(\/[^+#/]+)*$/,
  200,
);

/** A name for people. */
export const title = text('text of at most 100 characters', /\S/u, 100);

/** Client id of MQTT; without what brokers may not take or use in access rules. */
export const clientId = text(
  'letters, digits, "-", "_", "." and ":", at most 128 characters',
  /^[A-Za-z0-9._:-]+$/,
  128,
);

/** As {@link ../../mqtt/broker/password.js!hashPassword} writes it; whether it can be checked is seen there. */
export const passwordHash = text(
  'a hash as `mobilenetd config hash-password` prints it',
  PASSWORD_HASH,
  256,
);

const span = text(
  'a span such as "mon-fri 08:00-18:00", "22:00-06:00" or "sunset-00:30 - sunrise"',
  /\S/,
  100,
);

/** A span of a schedule: days if not all, and from when to when, by the clock or by the sun. */
export const scheduleSpan: Format<string> = {
  ...span,
  faults(value) {
    const faults = span.faults(value);
    if (faults.length > 0 || isScheduleSpan(String(value))) return faults;
    return [{ path: [], expected: span.expected }];
  },
};

const webAddress = address('http', 'https');

/** Address of a web page, which others will see: without a user name and a password. */
export const pageAddress: Format<string> = {
  ...webAddress,
  expected: `${webAddress.expected}, without a user name and a password`,
  faults(value) {
    const faults = webAddress.faults(value);
    if (faults.length > 0) return faults;
    const bare = !splitAddress(String(value))?.authority.includes('@');
    return bare ? [] : [{ path: [], expected: this.expected }];
  },
};

const LISTEN = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.~-]+)?)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;

/** `host:port`, `[ipv6]:port`; port 0 lets the system choose. */
export const listen: Format<string> = format(
  {
    kinds: ['text'],
    expected: 'host:port, e.g. 127.0.0.1:1883',
    json: { type: 'string', pattern: LISTEN.source },
  },
  (value) => typeof value === 'string' && splitListen(value) !== null,
  listenMeant,
);

function splitListen(value: string): { host: string; port: number } | null {
  const match = LISTEN.exec(value);
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
    {
      kinds: ['number', 'text'],
      expected: `a size such as 500MB, 1GB or 2GiB, at least ${minText}`,
      json: {
        anyOf: [
          { type: 'integer', minimum: min },
          { type: 'string', pattern: SIZE.source },
        ],
      },
    },
    (value) => {
      const bytes = bytesOf(value);
      return bytes !== null && Number.isSafeInteger(bytes) && bytes >= min;
    },
    storageMeant,
  );
}

/** Bytes of a checked size: `1GB` is 1e9, `1GiB` is 2^30. */
export function parseSize(value: string | number): number {
  const bytes = bytesOf(value);
  if (bytes === null) throw new TypeError(`not a size: ${value}`);
  return bytes;
}

export const modelName = text('"auto" or the name of a model', /^[A-Za-z0-9][A-Za-z0-9._-]*$/, 128);
