import type { Format } from './format.js';
import { format, hasControls, orList, text } from './format.js';

/** One level of a topic, and safe as a part of entity ids and file names. */
export const topicName = text(
  'a name of letters, digits, "-" and "_", beginning with a letter or digit, at most 64 characters',
  /^[A-Za-z0-9][A-Za-z0-9_-]*$/,
  64,
);

/** A label as a model names it. */
export const label = text('a label', /\S/, 200);

export const filePath = text('a path', /\S/, 4096);

export const absolutePath = text('an absolute path', /^\//, 4096);

/** A name of the IANA time zone database that this system knows. */
export const timeZone: Format<string> = format(
  {
    kinds: ['text'],
    expected: 'a time zone such as Europe/Berlin',
    json: { type: 'string', minLength: 1 },
  },
  (value) => typeof value === 'string' && isTimeZone(value),
);

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const ADDRESS_LENGTH = 2048;

/** Address of one of the schemes; what stands in it is checked by the platform's URL parser. */
export function address(...schemes: readonly string[]): Format<string> {
  return format(
    {
      kinds: ['text'],
      expected: `an address that begins with ${orList(schemes.map((s) => `${s}://`))}`,
      json: {
        type: 'string',
        pattern: `^(${schemes.join('|')})://[^/?#]`,
        maxLength: ADDRESS_LENGTH,
      },
    },
    (value) => {
      if (typeof value !== 'string' || value.length > ADDRESS_LENGTH || hasControls(value)) {
        return false;
      }
      const url = URL.canParse(value) ? new URL(value) : null;
      return url !== null && url.hostname !== '' && schemes.includes(url.protocol.slice(0, -1));
    },
  );
}
