import { nearestOf } from '../nearest.js';

/** Other words for units, by what they are in the unit of a key. */
const UNITS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  seconds: {
    ms: 0.001,
    s: 1,
    sec: 1,
    second: 1,
    m: 60,
    min: 60,
    minute: 60,
    h: 3600,
    hour: 3600,
    d: 86_400,
    day: 86_400,
  },
  days: { h: 1 / 24, hour: 1 / 24, d: 1, day: 1, w: 7, week: 7 },
  '°C': { c: 1, '°c': 1, '°': 1, degree: 1, celsius: 1 },
  pixels: { px: 1, pixel: 1 },
  degrees: { deg: 1, '°': 1, degree: 1 },
  '': { fps: 1, hz: 1, x: 1 },
};

/** The number that somebody meant who wrote a unit behind it: `5s`, `2 min`, `75 °C`, `60%`. */
export function numberMeant(value: unknown, unit: string): string | undefined {
  if (typeof value !== 'string') return undefined;
  const [, written, word = ''] = /^\s*([-+]?\d+(?:[.,]\d+)?)\s*([a-z°%]*)\s*$/i.exec(value) ?? [];
  if (written === undefined) return undefined;
  const digits = written.replace(',', '.');
  if (word === '') return digits === written ? 'write it without quotes' : `write ${digits}`;
  const name = word.toLowerCase();
  if (unit === '°C' && /^°?f$|^fahrenheit$/.test(name)) {
    return `write ${Math.round(((Number(digits) - 32) * 5) / 9)}`;
  }
  const factors = UNITS[unit] ?? {};
  const factor = word === '%' ? 0.01 : (factors[name] ?? factors[name.replace(/s$/, '')]);
  return factor === undefined ? undefined : `write ${Number((Number(digits) * factor).toFixed(6))}`;
}

/** YAML 1.2 has no yes, no, on and off. */
export function booleanMeant(value: unknown): string | undefined {
  if (/^(yes|on|true|1)$/i.test(String(value))) return 'write true';
  return /^(no|off|false|0)$/i.test(String(value)) ? 'write false' : undefined;
}

export function textMeant(value: unknown): string | undefined {
  return typeof value === 'number' || typeof value === 'boolean' ? 'put it in quotes' : undefined;
}

/** One of the words, by its other names or by what is most like it. */
export function wordMeant(
  value: unknown,
  words: readonly (string | number)[],
  otherNames: Readonly<Record<string, string>>,
): string | undefined {
  if (typeof value === 'number') {
    return words.includes(String(value)) ? 'put it in quotes' : undefined;
  }
  if (typeof value !== 'string') return undefined;
  const name = value.trim().toLowerCase();
  const other = Object.hasOwn(otherNames, name) ? otherNames[name] : undefined;
  if (other !== undefined) return `did you mean ${other}?`;
  if (words.some((word) => typeof word === 'number' && String(word) === name)) {
    return 'write it without quotes';
  }
  const longer = words.map(String).find((word) => word.length > 2 && name.startsWith(word));
  const near = longer ?? nearestOf(name, words.map(String));
  return near === null ? undefined : `did you mean ${near}?`;
}

/** A list that somebody wrote as one text: `640x480`, `person`, `a, b`. */
export function listMeant(value: unknown, length: number | null): string | undefined {
  if (Array.isArray(value)) return commasMissing(value, length);
  if (typeof value !== 'string' || value.length > 200) return undefined;
  const numbers = /^\s*\d+(\.\d+)?(\s*[x×,*]\s*\d+(\.\d+)?)+\s*$/i.test(value);
  if (numbers) {
    const items = value.split(/[x×,*]/i).map((item) => item.trim());
    if (length === null || items.length === length) return `write [${items.join(', ')}]`;
  }
  if (length !== null || value.trim() === '') return undefined;
  return /^[\p{L}\p{N}_ .,-]+$/u.test(value)
    ? `write [${value.trim()}]`
    : 'write it as a list: ["…"]';
}

/** `[640 480]` is a list of one text. */
function commasMissing(value: readonly unknown[], length: number | null): string | undefined {
  const [only] = value;
  if (value.length !== 1 || typeof only !== 'string' || !/^[\d.]+(\s+[\d.]+)+$/.test(only)) {
    return undefined;
  }
  const items = only.split(/\s+/);
  return length === null || items.length === length ? `write [${items.join(', ')}]` : undefined;
}

/** The path that somebody meant who wrote the number or the name of a video device. */
export function pathMeant(value: unknown): string | undefined {
  const [, number] = /^(?:video)?(\d{1,2})$/.exec(String(value)) ?? [];
  if (number !== undefined) return `did you mean /dev/video${number}?`;
  if (typeof value !== 'string') return textMeant(value);
  return windowsMeant(value) ?? 'it begins with /';
}

/** Paths of Windows are names of files here, which nobody means. */
export function windowsMeant(value: unknown): string | undefined {
  const isForeign = /^[a-z]:[\\/]|^\\\\/i.test(String(value));
  return isForeign ? 'this is a path of Windows; here they begin with /' : textMeant(value);
}

/** The amount of storage that somebody meant: `1G`, `500 mb`. */
export function storageMeant(value: unknown): string | undefined {
  const [, digits, letter] = /^\s*(\d+(?:\.\d+)?)\s*([kmgt])i?b?\s*$/i.exec(String(value)) ?? [];
  const unit = { k: 'kB', m: 'MB', g: 'GB', t: 'TB' }[letter?.toLowerCase() ?? ''];
  return unit === undefined ? undefined : `write ${digits}${unit}`;
}

/** `host:port` that somebody wrote as a port, a host or an address. */
export function listenMeant(value: unknown): string | undefined {
  const [, port] = /^(?:https?:\/\/|mqtt:\/\/)?:?(\d{1,5})$/.exec(String(value)) ?? [];
  if (port !== undefined)
    return `write 127.0.0.1:${port}, or 0.0.0.0:${port} for the whole network`;
  const [, place] = /^[a-z]+:\/\/([\w.-]+:\d{1,5})\/?$/i.exec(String(value)) ?? [];
  if (place !== undefined) return `write ${place}`;
  return typeof value === 'string' && isPlainHost(value)
    ? 'a port is missing behind it'
    : undefined;
}

/** Other names of schemes, by what programs call them. */
const SCHEMES: Readonly<Record<string, readonly string[]>> = {
  tcp: ['mqtt'],
  ssl: ['mqtts'],
  tls: ['mqtts'],
  http: ['ws'],
  https: ['wss'],
};

/** A host that can be shown: an IPv4 address, or a name with a dot, or localhost; perhaps a port. */
const HOST =
  /^(?:\d{1,3}(?:\.\d{1,3}){3}|(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*|localhost)(?::\d{1,5})?(?:\/[\w./-]*)?$/i;

/** Whether a text is plainly a host, and no password. */
export function isPlainHost(value: string): boolean {
  return HOST.test(value);
}

/** The address that somebody meant who left the scheme away or took another. */
export function addressMeant(value: unknown, schemes: readonly string[]): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (isPlainHost(value)) return `did you mean ${schemes[0]}://${value}?`;
  const [, scheme = ''] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value) ?? [];
  if (scheme === '') return schemeMissing(value, schemes);
  const known = SCHEMES[scheme.toLowerCase()]?.find((name) => schemes.includes(name));
  const near = known ?? nearestOf(scheme, schemes);
  if (near !== scheme) return near === null ? undefined : `did you mean ${near}://?`;
  return placeMeant(value.slice(scheme.length + 3), scheme);
}

/** What stands before the host, where that is no whole scheme; the rest may be a secret, and is not repeated. */
function schemeMissing(value: string, schemes: readonly string[]): string | undefined {
  if (/^[a-z0-9-]+(?::\d{1,5})?$/i.test(value)) return `write ${schemes[0]}:// before a host`;
  // `mqtt:/host`, `mqtt//host`, `mqtt;//host`.
  const [, word] = /^([a-z][a-z0-9+]*)(?:[:;]?\s*\/{1,2})/i.exec(value) ?? [];
  const near = word === undefined ? null : nearestOf(word.toLowerCase(), schemes);
  return near === null ? undefined : `write ${near}:// before the host`;
}

/** What is wrong with host and port; what stands there may be a secret, and is not repeated. */
function placeMeant(rest: string, scheme: string): string | undefined {
  const [authority = ''] = rest.split(/[/?#]/, 1);
  const place = authority.slice(authority.lastIndexOf('@') + 1);
  if (/^[\da-f]*:[\da-f.]*:/i.test(place))
    return `an IPv6 address stands in brackets: ${scheme}://[fe80::1%eth0]`;
  if (/^\[.*\]/.test(place) && place.includes('%'))
    return 'only a link-local address (fe80::) has an interface behind it';
  if (/:(?!\d+$)/.test(place)) return 'behind the host is a port, or "@" and a host are missing';
  if (/:\d+$/.test(place)) return 'a port is a number up to 65535';
  return /\s/.test(place) ? 'a host has no blanks' : undefined;
}
