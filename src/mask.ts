import { decoded, splitAddress } from './address.js';

/** What stands in place of a secret, wherever one would be shown. */
export const MASK = '********';

/**
 * Ends of names that say that what follows is secret, in the query of an address or, as cheap cameras
 * have it, in its path: `/user=admin&password=x`, `/user=admin_password=x_channel=1`, `?token=x`.
 */
const SECRET_NAMES = [
  'user(?:name|id)?|usr|login(?:use|pas)?|account',
  'pass(?:word|wd|code|phrase|wort)?|pwd|psw|pw|pin|kennwort|contrase(?:ña|na)|mdp|senha|clave',
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
 * Masks what is or may be secret in an address: the user information, the values of the query, what
 * follows a name such as `password=` in the path, and words of the path that look like a token. The
 * user information is taken to reach to the last `@`, so that a password with an `@`, `/` or `#` of
 * its own is covered, at the price of masking too much of some addresses.
 */
export function maskAddress(address: string): string {
  const { scheme = '', authority = '', rest = '' } = splitAddress(address) ?? { rest: address };
  const whole = `${authority}${rest}`;
  const at = whole.lastIndexOf('@');
  const [, host = '', path = '', query = ''] =
    /^([^/?#]*)([^?]*)(.*)$/s.exec(whole.slice(at + 1)) ?? [];
  const user = at < 0 ? '' : `${MASK}@`;
  return `${scheme}${user}${maskPairs(host)}${maskWords(maskPairs(path))}${maskQuery(maskPairs(query))}`;
}

function maskPairs(text: string): string {
  return text.replace(PAIR, (_, name, sign) => `${name}${sign}${MASK}`);
}

/** As Longse has it: `/0/admin:PASSWORD/main`; not `videoinput_1:0`. */
const LOGIN = /^([a-z][\w.-]{0,63}:)[^:]{3,}$/i;

/** The word behind one of these may be the password: `/11/admin/PASSWORD`. */
const USER = /^(?:admin|administrator|root|user|viewer|guest|operator)$/i;

function maskWords(path: string): string {
  const words = path.split('/');
  return words
    .map((word, index) => {
      if (USER.test(words[index - 1] ?? '') && word !== '') return MASK;
      if (word.includes(MASK)) return word;
      return isToken(word) ? MASK : word.replace(LOGIN, `$1${MASK}`);
    })
    .join('/');
}

/** Values of a query, and words of it that look like a token. */
function maskQuery(query: string): string {
  return query
    .replace(/([?&;][^=&;#]*)=[^&;]+/g, `$1=${MASK}`)
    .replace(/([?&;])([^=&;]{8,})(?=$|[&;])/g, (pair, sign, word) =>
      /\d/.test(word) || isToken(word) ? `${sign}${MASK}` : pair,
    );
}

const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/i;
const SHORTEST_RUN = 10;

/**
 * Whether a word of an address has letters and digits in it as only chance throws them: who knows the
 * address of a UniFi camera (`/AbCdEf123456`) sees its picture. Names such as `h264Preview_01_main`,
 * `realmonitor` or `MediaInput` are words, with a number at most.
 */
function isToken(word: string): boolean {
  if (UUID.test(word)) return true;
  return (decoded(word).match(/[a-z\d]+/gi) ?? []).some((run) => {
    if (run.length < SHORTEST_RUN) return false;
    const pieces = run.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+/g) ?? [];
    const mixed = /\d/.test(run) && (run.length >= 12 || /\d.*[a-z].*\d/i.test(run));
    return mixed ? pieces.length > 1 || run.length >= 16 : run.length <= pieces.length * 3;
  });
}

/** Values in the query of an address are mostly no secrets: `channel=1`, `stream=main`. */
const SHORTEST_TOKEN = 8;

/** Secrets of an address as they may stand elsewhere, e.g. in a message of another program. */
export function secretsInAddress(text: string): readonly string[] {
  const { authority = '', rest = '' } = splitAddress(text) ?? {};
  const user = authority.slice(0, Math.max(0, authority.lastIndexOf('@')));
  const [, path = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(rest) ?? [];
  const found = [
    passwordOf(user),
    ...secretPairs(rest),
    ...path.replace(PAIR, '').split('/').flatMap(secretsInWord),
    ...query
      .split(/[&;]/)
      .map((pair) => pair.slice(pair.indexOf('=') + 1))
      .filter((value) => value.length >= SHORTEST_TOKEN),
  ].filter((secret) => secret !== '');
  return [...new Set([...found, ...found.map(decoded)])];
}

/** Of `user:password`; a name that is a token is one without a password. */
function passwordOf(user: string): string {
  return user.includes(':') ? user.slice(user.indexOf(':') + 1) : isToken(user) ? user : '';
}

function secretPairs(text: string): readonly string[] {
  return [...text.matchAll(PAIR)]
    .filter(([, name = '']) => !/(?:user(?:name|id)?|usr|account)\d?$/i.test(name))
    .map(([, , , value = '']) => value);
}

function secretsInWord(word: string): readonly string[] {
  if (isToken(word)) return [word];
  const login = LOGIN.exec(word)?.[1];
  return login === undefined ? [] : [word.slice(login.length)];
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
