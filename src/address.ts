/** An address, taken apart by the platform's parser. */
export interface Address {
  /** Without the interface: the platform's parser knows none. */
  readonly url: URL;
  /** Host without brackets, with the interface where one is given: `fe80::1%eth0`. */
  readonly hostname: string;
}

/** The interface of a link-local address, bare as people write it or as RFC 6874 has it (`%25eth0`). */
const ZONE = /^([a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?\[fe80:[0-9a-f:.]*)%(?:25)?([\w.~-]+)\]/i;

/** Takes an address apart; null for a text that is none. */
export function parseAddress(text: string): Address | null {
  const zone = ZONE.exec(text);
  const bare = zone === null ? text : `${zone[1]}]${text.slice(zone[0].length)}`;
  if (!URL.canParse(bare)) return null;
  const url = new URL(bare);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { url, hostname: zone === null ? host : `${host}%${zone[2]}` };
}

/** The text of an address cut in pieces, whatever stands in them. */
export interface AddressParts {
  /** With `://`. */
  readonly scheme: string;
  /** User information, with its `@`, and host. */
  readonly authority: string;
  /** From the first `/`, `?` or `#` on. */
  readonly rest: string;
}

/** Cuts an address in pieces without judging them; null for a text that has no scheme. */
export function splitAddress(text: string): AddressParts | null {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)(.*)$/is.exec(text);
  if (match === null) return null;
  const [, scheme = '', authority = '', rest = ''] = match;
  return { scheme, authority, rest };
}

/** Percent-decodes; a lone `%` stands for itself. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether only this machine reaches a host that is listened at; brackets of IPv6 may be there. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name);
}
