import { MASK } from '../mask.js';

/**
 * An address fit for logs and errors: without user, password, query and fragment, which may all
 * carry credentials.
 */
export function redactUrl(url: string): string {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)([^?#]*)/i.exec(url);
  if (match === null) return MASK;
  const [, scheme = '', authority = '', path = ''] = match;
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const user = host === authority ? '' : `${MASK}@`;
  const rest = url.length > match[0].length ? `?${MASK}` : '';
  return `${scheme}${user}${host}${path}${rest}`;
}

/**
 * Makes a filter that takes the credentials of `url` out of any text (a program's messages): the
 * address itself, its user, password and query values, and whatever else looks like `//user@host`.
 */
export function createRedactor(url: string): (text: string) => string {
  const secrets = secretsOf(url);
  return (text) => {
    let clean = text.replaceAll(url, redactUrl(url));
    for (const secret of secrets) clean = clean.replaceAll(secret, MASK);
    return clean.replace(/\/\/[^\s/]*@/g, `//${MASK}@`);
  };
}

/** Shorter values would hide harmless text. */
const MIN_SECRET = 3;

function secretsOf(url: string): string[] {
  if (!URL.canParse(url)) return [];
  const { username, password, search, searchParams } = new URL(url);
  const raw = [username, password, search.slice(1)];
  const found = [...raw, ...raw.map(decode), ...searchParams.values()];
  return [...new Set(found)]
    .filter((secret) => secret.length >= MIN_SECRET)
    .sort((a, b) => b.length - a.length);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
