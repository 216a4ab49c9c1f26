import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../address.js';
import { codedError } from '../errors.js';
import {
  type Arrival,
  arrivalOf,
  foreignPost,
  foreignRead,
  hostNameOf,
  TrustedProxies,
} from './guard.js';
import { isToken, type Login, type Role, type Visitor } from './login.js';
import type { PageOptions } from './options.js';
import type { RawRequest, SessionCookies } from './raw-request.js';

const COOKIE = 'mobilenetd';
const BEARER = /^Bearer ([\w.~+/=-]{1,512})$/i;
/** A whole address with a user name (RFC 9110, 4.2.4: to be taken for a mistake), of which fetch makes no request. */
const WITH_USER = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i;
/** How long a browser keeps the cookie; the session behind it may end earlier, s. */
const COOKIE_S = 7 * 86_400;

type Options = Pick<PageOptions, 'host' | 'hosts' | 'trustedProxies' | 'basePath'>;

/** Who may come in: what is not even looked at, who asks, and whether he may. */
export class Admission {
  readonly cookies: SessionCookies;
  readonly #login: Login;
  readonly #proxies: TrustedProxies;
  readonly #hosts: ReadonlySet<string>;
  readonly #basePath: string;
  readonly #arrivals = new WeakMap<IncomingMessage, Arrival>();
  /** Whether nobody has to say who he is. */
  readonly #isOpen: boolean;

  constructor({ host, hosts, trustedProxies, basePath }: Options, login: Login) {
    this.#login = login;
    this.#proxies = new TrustedProxies(trustedProxies);
    this.#hosts = new Set(hosts.map((name) => name.toLowerCase()));
    this.#basePath = basePath;
    this.#isOpen = isLoopback(host) && !login.hasUsers;
    this.cookies = {
      get: cookieOf,
      set: (raw, session) => this.#cookie(raw, `${session}; Max-Age=${COOKIE_S}`),
      clear: (raw) => this.#cookie(raw, '; Max-Age=0'),
    };
  }

  arrival(raw: RawRequest): Arrival {
    const { incoming } = raw.env;
    const known = this.#arrivals.get(incoming);
    if (known !== undefined) return known;
    const arrival = arrivalOf(incoming, this.#proxies, this.#basePath);
    this.#arrivals.set(incoming, arrival);
    return arrival;
  }

  /** Why a request is not even looked at; null: it is. */
  refusal(raw: RawRequest): Error | null {
    const arrival = this.arrival(raw);
    if (WITH_USER.test(raw.env.incoming.url ?? '')) {
      return codedError('MND_HTTP_REQUEST', {
        subject: 'the address',
        expected: 'none with a user name in it',
      });
    }
    if (!this.#mayBeCalled(arrival)) {
      return codedError('MND_HTTP_FORBIDDEN', {
        subject: `Host ${JSON.stringify(arrival.host.slice(0, 100))}`,
        expected: ['localhost, 127.0.0.1', ...this.#hosts].join(', '),
        next: 'see status.hosts, status.users and status.trusted_proxies',
      });
    }
    return raw.req.method === 'POST' ? refusedPost(raw, arrival) : this.#refusedRead(raw);
  }

  /** Who asks; null: nobody who is known. */
  visitor(raw: RawRequest): Visitor | null {
    const bearer = bearerOf(raw);
    if (bearer !== undefined) return this.#login.ofToken(bearer);
    if (this.#isOpen) return { name: 'local', role: 'admin', by: 'open' };
    const session = cookieOf(raw);
    const visitor = session === null ? null : this.#login.ofSession(session);
    if (visitor !== null || this.#login.hasUsers) return visitor;
    return this.arrival(raw).isProxied ? { name: 'proxy', role: 'admin', by: 'proxy' } : null;
  }

  /** Whether a request has the token of the metrics; null: there is none. */
  isScraper(raw: RawRequest, sha256: string | null): boolean {
    const bearer = bearerOf(raw);
    return sha256 !== null && bearer !== undefined && isToken(bearer, sha256);
  }

  /**
   * Whether the page may answer to this Host. A site that lets its own name point here (DNS rebinding)
   * would otherwise read everything through a visitor's browser, as far as that needs no login.
   */
  #mayBeCalled({ host, isProxied }: Arrival): boolean {
    const name = hostNameOf(host);
    if (name !== null && (isLoopback(name) || this.#hosts.has(name))) return true;
    if (this.#hosts.size > 0) return false;
    // Behind a proxy that is trusted, the proxy says who may come.
    return !this.#isOpen || isProxied;
  }

  #refusedRead(raw: RawRequest): Error | null {
    const path = raw.req.path.slice(this.#basePath.length);
    if (!path.startsWith('api/') && path !== 'metrics') return null;
    const foreign = foreignRead(raw.req.header('Sec-Fetch-Site'), raw.req.header('Sec-Fetch-Dest'));
    return foreign === null ? null : refusedSite(foreign);
  }

  #cookie(raw: RawRequest, value: string): string {
    const { prefix, scheme } = this.arrival(raw);
    const secure = scheme === 'https' ? '; Secure' : '';
    return `${COOKIE}=${value}; Path=${prefix}; HttpOnly; SameSite=Strict${secure}`;
  }
}

/** @throws MND_HTTP_LOGIN, MND_HTTP_FORBIDDEN */
export function admit(visitor: Visitor | null, role: Role): void {
  if (visitor === null) {
    throw codedError('MND_HTTP_LOGIN', { expected: 'a session or a token', next: 'log in' });
  }
  if (role === 'view' || visitor.role === 'admin') return;
  throw codedError('MND_HTTP_FORBIDDEN', { expected: 'the role admin', found: visitor.role });
}

function refusedPost(raw: RawRequest, arrival: Arrival): Error | null {
  const site = raw.req.header('Sec-Fetch-Site');
  const foreign = foreignPost(arrival, raw.req.header('Origin'), site);
  if (foreign !== null) return refusedSite(foreign);
  const type = raw.req.header('Content-Type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/json') return null;
  return codedError('MND_HTTP_REQUEST', {
    subject: 'Content-Type',
    expected: 'application/json',
    found: (type ?? 'none').slice(0, 100),
  });
}

function refusedSite(subject: string): Error {
  return codedError('MND_HTTP_FORBIDDEN', { subject, expected: 'a request of this page itself' });
}

function bearerOf(raw: RawRequest): string | undefined {
  return BEARER.exec(raw.req.header('Authorization') ?? '')?.[1];
}

function cookieOf(raw: RawRequest): string | null {
  const header = raw.req.header('Cookie') ?? '';
  return new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]{43})(?:;|$)`).exec(header)?.[1] ?? null;
}
