import { parseAddress, splitAddress } from '../address.js';
import { maskAddress } from '../mask.js';
import type { Format } from './format.js';
import { format, hasControls, orList, text } from './format.js';
import { addressMeant, pathMeant, windowsMeant } from './hints.js';

/** One level of a topic, and safe as a part of entity ids and file names. */
export const topicName = text(
  'a name of letters, digits, "-" and "_", beginning with a letter or digit, at most 64 characters',
  /^[A-Za-z0-9][A-Za-z0-9_-]*$/,
  64,
);

/** A label as a model names it. */
export const label = text('a label', /\S/, 200);

export const filePath = text('a path', /^(?![A-Za-z]:[\\/]|\\\\).*\S/, 4096, windowsMeant);

export const absolutePath = text('an absolute path', /^\//, 4096, pathMeant);

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

/** Schemes of programs that take the interface of a link-local address: `[fe80::1%eth0]`. */
const WITH_INTERFACE: readonly string[] = ['mqtt', 'mqtts', 'rtsp', 'rtsps'];

/**
 * Address of one of the schemes; what stands in it is checked by the platform's URL parser. A `#`, `/`
 * or `?` in a password would end the host for every parser, and the rest of the password would be
 * taken for a path: such an address is refused with what to write instead.
 */
export function address(...schemes: readonly string[]): Format<string> {
  return addressOf(schemes, WITH_INTERFACE);
}

/** Address of a camera, whose HTTP we speak ourselves: it may be a link-local one, too. */
export const cameraAddress: Format<string> = addressOf(
  ['rtsp', 'rtsps', 'http', 'https'],
  ['rtsp', 'rtsps', 'http', 'https'],
);

function addressOf(schemes: readonly string[], withInterface: readonly string[]): Format<string> {
  const plain = format<string>(
    {
      kinds: ['text'],
      expected: `an address that begins with ${orList(schemes.map((s) => `${s}://`))}`,
      json: {
        type: 'string',
        pattern: `^(${schemes.join('|')})://[^/?#]+([/?][^#@]*)?$`,
        maxLength: ADDRESS_LENGTH,
      },
    },
    (value) => {
      if (typeof value !== 'string' || value.length > ADDRESS_LENGTH || hasControls(value)) {
        return false;
      }
      const { url, hostname = '' } = parseAddress(value) ?? {};
      return hostname !== '' && schemes.includes(url?.protocol.slice(0, -1) ?? '');
    },
    (value) => addressMeant(value, schemes),
  );
  return {
    ...plain,
    faults(value) {
      if (typeof value !== 'string') return plain.faults(value);
      const misread = encodingFault(value, schemes) ?? interfaceFault(value, withInterface);
      return misread === null ? plain.faults(value) : [{ path: [], expected: misread }];
    },
  };
}

/** Why an address with an interface cannot be taken; null where there is none, or it can. */
function interfaceFault(value: string, schemes: readonly string[]): string | null {
  const { url, hostname = '' } = parseAddress(value) ?? {};
  const scheme = url?.protocol.slice(0, -1) ?? '';
  if (!hostname.includes('%') || schemes.includes(scheme)) return null;
  return `an address without an interface (%eth0), which ${scheme}:// does not take; a name, or another address`;
}

/** What must be percent-encoded before an address of the schemes can be read as it was meant. */
function encodingFault(value: string, schemes: readonly string[]): string | null {
  const { scheme, authority, rest } = splitAddress(value) ?? {
    scheme: '',
    authority: '',
    rest: '',
  };
  if (!schemes.includes(scheme.slice(0, -3).toLowerCase())) return null;
  const at = rest.lastIndexOf('@');
  if (at < 0 && !rest.includes('#')) return null;
  const how = 'an address with each "#" written as %23, "/" as %2F, "?" as %3F, "@" as %40';
  if (at < 0) return `${how} where it is no mark of the address itself`;
  const user = authority.includes('@') ? 'user name, password and path' : 'user name and password';
  // What stands before the last @ may all be the password.
  const corrected = maskAddress(`${scheme}user@${rest.slice(at + 1).replaceAll('#', '%23')}`);
  return `${how} in ${user}: ${corrected}`;
}
