import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { isLoopback } from '../address.js';

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

const PREFIX = /^\/(?:[\w.~-]+\/?)*$/;

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

/**
 * Whether a page that listens without a login may answer to this Host. A site that lets its own name
 * point at 127.0.0.1 (DNS rebinding) would otherwise read everything through a visitor's browser.
 */
export function isLocalHost(host: string): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host)?.[1];
  return name !== undefined && isLoopback(name);
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
