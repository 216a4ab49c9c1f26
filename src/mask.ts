import { decoded, splitAddress } from './address.js';

/** What stands in place of a secret, wherever one would be shown. */
export const MASK = '********';

/**
 * Ends of names that say that what follows is secret, in the query of an address or, as cheap cameras
 * have it, in its path: `/user=admin&password=x`, `/user=admin_password=x_channel=1`, `?token=x`.
 */
const SECRET_NAMES = [
  'user(?:name|id)?|usr|login(?:use|pas)?|account',
  'pass(?:word|wd|code|phrase)?|pwd|psw|pw|pin',
  'token|key|auth(?:orization)?|secret|sig(?:nature)?|sign|session(?:id)?|sid|credentials?|hash|jwt',
].join('|');

/** A value goes on until the next pair, of which `_channel=` may be the beginning. */
const VALUE = '(?:(?!_[a-z][a-z0-9]{0,32}=)[^&;])+';

/** A name, its sign and its value. Lengths are bounded, so that a hostile text costs little. */
const PAIR = new RegExp(
  `(?<![a-z0-9])([\\w.-]{0,32}?(?:${SECRET_NAMES})\\d?)([=:])(${VALUE})`,
  'gi',
);

/** Anything that looks like an address. */
const ADDRESS = /\b[a-z][a-z0-9+.-]{0,31}:\/\/[^\s"'<>]*/gi;

/** {@link maskAddress} of every address in a text. */
export function maskAddresses(text: string): string {
  return text.replace(ADDRESS, maskAddress);
}

/**
 * Masks what is or may be secret in an address: the user information, the values of the query, and
 * what follows a name such as `password=` in the path. The user information is taken to reach to the
 * last `@`, so that a password with an `@`, `/` or `#` of its own is covered, at the price of masking
 * too much of some addresses.
 */
export function maskAddress(address: string): string {
  const { scheme = '', authority = '', rest = '' } = splitAddress(address) ?? { rest: address };
  const whole = `${authority}${rest}`;
  const at = whole.lastIndexOf('@');
  const place = whole
    .slice(at + 1)
    .replace(PAIR, (_, name, sign) => `${name}${sign}${MASK}`)
    .replace(/\?.*$/s, maskQuery);
  return `${scheme}${at < 0 ? '' : `${MASK}@`}${place}`;
}

/** Values of a query, and words of it that look like a token. */
function maskQuery(query: string): string {
  return query
    .replace(/([?&;][^=&;#]*)=[^&;]+/g, `$1=${MASK}`)
    .replace(/([?&;])(?=[^=&;]*\d)[^=&;]{8,}(?=$|[&;])/g, `$1${MASK}`);
}

/** Values in the query of an address are mostly no secrets: `channel=1`, `stream=main`. */
const SHORTEST_TOKEN = 8;

/** Secrets of an address as they may stand elsewhere, e.g. in a message of another program. */
export function secretsInAddress(text: string): readonly string[] {
  const { authority = '', rest = '' } = splitAddress(text) ?? {};
  const user = authority.slice(0, Math.max(0, authority.lastIndexOf('@')));
  const password = user.includes(':') ? user.slice(user.indexOf(':') + 1) : '';
  const named = [...rest.matchAll(PAIR)]
    .filter(([, name = '']) => !/(?:user(?:name|id)?|usr|account)\d?$/i.test(name))
    .map(([, , , value = '']) => value);
  const [, query = ''] = /\?(.*)$/s.exec(rest) ?? [];
  const long = query
    .split(/[&;]/)
    .map((pair) => pair.slice(pair.indexOf('=') + 1))
    .filter((value) => value.length >= SHORTEST_TOKEN);
  const found = [password, ...named, ...long].filter((secret) => secret !== '');
  return [...new Set([...found, ...found.map(decoded)])];
}

/** Whether an address holds what others on this machine, who see command lines, must not see. */
export function holdsSecrets(address: string): boolean {
  return maskAddress(address) !== address;
}

/** Masking a text of one or two letters would mask every word. */
const SHORTEST_MASKED = 3;

/**
 * Makes the filter of all that is shown: each of the secrets, in every form in which it may stand in
 * a text, and whatever may be secret in addresses.
 */
export function createMasker(secrets: Iterable<string>): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < SHORTEST_MASKED) continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    // As it stands inside JSON.
    forms.add(JSON.stringify(secret).slice(1, -1));
  }
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) =>
    longestFirst.reduce((masked, form) => masked.replaceAll(form, MASK), maskAddresses(text));
}
