import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Where a request came from and how it was addressed, proxies that are trusted taken into account. */
export interface Arrival {
  /** Address of the client. */
  readonly address: string;
  /** Whether a trusted proxy handed the request on. */
  readonly isProxied: boolean;
  /** `https` when the browser speaks it, be it to a proxy. */
  readonly scheme: 'http' | 'https';
  /** Host and port as the browser wrote them. */
  readonly host: string;
  /** Path under which the browser sees the page's root, with a slash at both ends. */
  readonly prefix: string;
  /** Whether the page is shown inside Home Assistant (ingress). */
  readonly isIngress: boolean;
}

const PREFIX = /^(?:\/[\w.~-]+)*\/?$/;

/** Addresses of proxies whose headers are believed. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly isEmpty: boolean;

  /** @param addresses IP addresses or networks in CIDR form, checked by the configuration */
  constructor(addresses: readonly string[]) {
    this.isEmpty = addresses.length === 0;
    for (const each of addresses) {
      const [address = '', bits] = each.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  has(address: string): boolean {
    if (this.isEmpty) return false;
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  }
}

/** Reads where a request came from. Headers of anybody else than a trusted proxy say nothing. */
export function arrivalOf(
  request: IncomingMessage,
  proxies: TrustedProxies,
  basePath: string,
): Arrival {
  const peer = plainAddress(request.socket.remoteAddress ?? '');
  const isProxied = proxies.has(peer);
  const encrypted = 'encrypted' in request.socket;
  const ownScheme = encrypted ? 'https' : 'http';
  const host = headerOf(request, 'host') ?? '';
  if (!isProxied) {
    return {
      address: peer,
      isProxied,
      scheme: ownScheme,
      host,
      prefix: basePath,
      isIngress: false,
    };
  }
  const ingress = headerOf(request, 'x-ingress-path');
  const outer = prefixOf(ingress ?? headerOf(request, 'x-forwarded-prefix'));
  const scheme = headerOf(request, 'x-forwarded-proto')?.split(',', 1)[0]?.trim();
  return {
    address: forwardedFor(request, proxies) ?? peer,
    isProxied,
    scheme: scheme === 'https' || scheme === 'http' ? scheme : ownScheme,
    host: headerOf(request, 'x-forwarded-host')?.split(',', 1)[0]?.trim() ?? host,
    prefix: `${outer}${basePath}`.replace(/\/{2,}/g, '/'),
    isIngress: ingress !== null,
  };
}

/** The last address of X-Forwarded-For that no trusted proxy has: everything before it can be made up. */
function forwardedFor(request: IncomingMessage, proxies: TrustedProxies): string | null {
  const hops = (headerOf(request, 'x-forwarded-for') ?? '').split(',').map((hop) => hop.trim());
  for (const hop of hops.reverse()) {
    if (isIP(plainAddress(hop)) === 0) return null;
    if (!proxies.has(hop)) return plainAddress(hop);
  }
  return null;
}

function prefixOf(header: string | null): string {
  return header !== null && header.length < 256 && PREFIX.test(header) ? header : '';
}

function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' ? value : null;
}

/** An IPv4 address that arrived at an IPv6 socket, as IPv4; without a zone. */
export function plainAddress(address: string): string {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(bare) ? bare.slice(7) : bare;
}

/** The name in a Host header, without its port and in small letters; null: it has none. */
export function hostNameOf(host: string): string | null {
  return /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host)?.[1]?.toLowerCase() ?? null;
}

/**
 * Why a POST is refused that a browser sends for another site (CSRF); null: it is not. Programs send
 * neither of the two headers, browsers at least one.
 *
 * @param origin the Origin header, `site` Sec-Fetch-Site
 */
export function foreignPost(
  { scheme, host }: Arrival,
  origin: string | undefined,
  site: string | undefined,
): string | null {
  if (site !== undefined && site !== 'same-origin') return `Sec-Fetch-Site ${JSON.stringify(site)}`;
  if (origin !== undefined && origin.toLowerCase() !== `${scheme}://${host}`.toLowerCase()) {
    return `Origin ${JSON.stringify(origin.slice(0, 200))}`;
  }
  return null;
}

/**
 * Why a reading request is refused that a browser sends for another site; null: it is not. The other site
 * could not read the answer, but keep the board busy and take the viewers' places. A link that opens the
 * answer itself may come from anywhere.
 *
 * @param site the Sec-Fetch-Site header, `destination` Sec-Fetch-Dest
 */
export function foreignRead(
  site: string | undefined,
  destination: string | undefined,
): string | null {
  const isForeign = site === 'cross-site' || site === 'same-site';
  return isForeign && destination !== 'document' ? `Sec-Fetch-Site ${JSON.stringify(site)}` : null;
}

/**
 * What failures of a login are counted by: an address, and of IPv6 the network of 64 bits, in which
 * whoever has one address has them all.
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const first = head.split(':').filter((group) => group !== '');
  const last = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = new Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  const groups = [...first, ...(tail === undefined ? [] : zeros), ...last];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}

/** Headers of every answer. @param ancestors sites that may show the page in a frame */
export function securityHeaders(
  { isIngress }: Arrival,
  ancestors: readonly string[],
): Readonly<Record<string, string>> {
  const frames = [...ancestors, ...(isIngress ? ["'self'"] : [])];
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    `frame-ancestors ${frames.length === 0 ? "'none'" : frames.join(' ')}`,
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
    'Cache-Control': 'no-store',
  };
}
