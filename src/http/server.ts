import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { isLoopback } from '../address.js';
import { codedError, isCodedError, messageOf } from '../errors.js';
import { createRepeatingLog, type Log } from '../log.js';
import type { Clock } from '../time.js';
import { shownError } from './answers.js';
import { type Asset, readAssets } from './assets.js';
import type { PageSource } from './contract.js';
import {
  type Arrival,
  arrivalOf,
  foreignPost,
  isLocalHost,
  securityHeaders,
  TrustedProxies,
} from './guard.js';
import { LivePictures } from './live-pictures.js';
import { isToken, Login, type Role, type TokenUser, type User, type Visitor } from './login.js';
import { openApiDocument } from './openapi.js';
import {
  type ApiRequest,
  MAX_BODY,
  type RawRequest,
  type Route,
  type Surroundings,
} from './route.js';
import { ACTION_ROUTES } from './routes/actions.js';
import { EVENT_ROUTES } from './routes/events.js';
import { PICTURE_ROUTES } from './routes/pictures.js';
import { SESSION_ROUTES } from './routes/session.js';
import { STATE_ROUTES } from './routes/state.js';
import { Streams } from './stream.js';
import { validatorOf } from './validate.js';

/** Every route below `/api/v1`. */
export const ROUTES: readonly Route[] = [
  ...STATE_ROUTES,
  ...PICTURE_ROUTES,
  ...EVENT_ROUTES,
  ...ACTION_ROUTES,
  ...SESSION_ROUTES,
];

export interface PageOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  readonly users: Readonly<Record<string, User>>;
  readonly tokens: Readonly<Record<string, TokenUser>>;
  readonly trustedProxies: readonly string[];
  /** Path of the page when no proxy takes it off, with a slash at both ends. */
  readonly basePath: string;
  /** Sites that may show the page in a frame. */
  readonly frameAncestors: readonly string[];
  readonly metrics: {
    /** The text of Prometheus' format. */
    readonly read: () => Promise<string>;
    readonly contentType: string;
    /** SHA-256 of the token that may read them besides; null: whoever may see the page. */
    readonly sha256: string | null;
  } | null;
  /** Folder of the page's files. */
  readonly assets: string;
  readonly version: string;
}

export interface Page {
  /** Address of the page, for people. */
  readonly url: string;
  readonly viewers: () => number;
  close(): Promise<void>;
}

const COOKIE = 'mobilenetd';
const API = '/api/v1';
const MAX_CONNECTIONS = 128;
/** A connection that moves no byte for so long is dropped, ms. */
const IDLE_MS = 30_000;
/** Headers and body must have come by then, ms. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const REPEAT_MS = 60_000;

/** Starts the page. @throws MND_HTTP_LISTEN */
export async function startPage(
  options: PageOptions,
  source: PageSource,
  {
    clock,
    log,
    verify,
  }: {
    readonly clock: Clock;
    readonly log: Log;
    readonly verify: (password: Buffer, hash: string | null) => Promise<boolean>;
  },
): Promise<Page> {
  const { users, tokens } = options;
  const login = new Login({ users, tokens, verify, clock });
  const streams = new Streams(source, clock);
  const server = new PageServer(options, source, { login, streams, clock, log });
  const listening = await server.listen().catch((error: unknown) => {
    streams.close();
    throw error;
  });
  return {
    url: listening,
    viewers: () => streams.count,
    async close() {
      streams.close();
      await server.close();
    },
  };
}

interface Tools {
  readonly login: Login;
  readonly streams: Streams;
  readonly clock: Clock;
  readonly log: Log;
}

class PageServer {
  readonly #options: PageOptions;
  readonly #source: PageSource;
  readonly #login: Login;
  readonly #around: Surroundings;
  readonly #proxies: TrustedProxies;
  readonly #assets: ReadonlyMap<string, Asset>;
  readonly #repeating: ReturnType<typeof createRepeatingLog>;
  readonly #server: HttpServer;
  /** Whether nobody has to say who he is. */
  readonly #isOpen: boolean;

  constructor(options: PageOptions, source: PageSource, { login, streams, clock, log }: Tools) {
    this.#options = options;
    this.#source = source;
    this.#login = login;
    this.#proxies = new TrustedProxies(options.trustedProxies);
    this.#isOpen = isLoopback(options.host) && !login.hasUsers;
    this.#assets = readAssets(options.assets);
    this.#repeating = createRepeatingLog(log, { interval: REPEAT_MS, clock: () => clock.now() });
    this.#around = {
      source,
      login,
      streams,
      pictures: new LivePictures(source, clock),
      headers: (raw) => securityHeaders(this.#arrival(raw), options.frameAncestors),
      cookies: {
        get: (raw) => cookieOf(raw),
        set: (raw, session) => this.#cookie(raw, `${session}; Max-Age=${7 * 86_400}`),
        clear: (raw) => this.#cookie(raw, '; Max-Age=0'),
      },
    };
    const listener = getRequestListener(this.#app().fetch, { overrideGlobalObjects: false });
    const handle = (...pair: Parameters<typeof listener>): void => void listener(...pair);
    this.#server =
      options.tls === null ? createServer(handle) : createTlsServer({ ...options.tls }, handle);
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.headersTimeout = HEADERS_MS;
    this.#server.requestTimeout = REQUEST_MS;
    this.#server.keepAliveTimeout = 5000;
    this.#server.setTimeout(IDLE_MS);
  }

  listen(): Promise<string> {
    const { host, port, tls, basePath } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) =>
        reject(
          codedError('MND_HTTP_LISTEN', {
            subject: `status.listen ${host}:${port}`,
            found: messageOf(cause),
            next: 'choose another port, or null for no page',
            cause,
          }),
        ),
      );
      this.#server.listen(port, host, () => {
        const address = this.#server.address() as AddressInfo;
        const name = address.family === 'IPv6' ? `[${host}]` : host;
        resolve(`${tls === null ? 'http' : 'https'}://${name}:${address.port}${basePath}`);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #app(): Hono<{ Bindings: HttpBindings }> {
    const base = this.#options.basePath;
    const app = new Hono<{ Bindings: HttpBindings }>({ strict: true });
    app.use('*', async (raw, next) => {
      for (const [name, value] of Object.entries(this.#around.headers(raw)))
        raw.header(name, value);
      const refused = this.#refuse(raw);
      if (refused !== null) return this.#fail(raw, refused);
      await next();
      return undefined;
    });
    app.get(`${base}healthz`, (raw) =>
      this.#source.isHealthy() ? raw.text('ok\n') : raw.text('not ok\n', 503),
    );
    app.get(`${base}metrics`, (raw) => this.#metrics(raw));
    const document = openApiDocument(ROUTES, this.#options.version);
    app.get(`${base}api/v1/openapi.json`, (raw) => raw.json(document));
    for (const route of ROUTES) this.#register(app, base, route);
    app.all(`${base}api/*`, (raw) =>
      this.#fail(raw, codedError('MND_INPUT_MISSING', { subject: 'this path of the API' })),
    );
    app.get(base, (raw) => this.#asset(raw, 'index.html'));
    app.get(`${base}:file`, (raw) => this.#asset(raw, raw.req.param('file') ?? ''));
    if (base !== '/')
      app.get(base.slice(0, -1), (raw) => raw.redirect(`${base.split('/').at(-2)}/`));
    app.notFound((raw) =>
      this.#fail(raw, codedError('MND_INPUT_MISSING', { subject: 'this address' })),
    );
    app.onError((error, raw) => this.#fail(raw, error));
    return app;
  }

  #register(app: Hono<{ Bindings: HttpBindings }>, base: string, route: Route): void {
    const validator = validatorOf(route);
    const path = `${base}${API.slice(1)}${route.path.replace(/\{(\w+)\}/g, ':$1')}`;
    app.on(route.method, path, async (raw) => {
      const visitor = this.#visitor(raw);
      if (route.role !== null) admit(visitor, route.role);
      const request: ApiRequest = {
        params: raw.req.param(),
        query: validator.query(raw.req.query()),
        body: route.method === 'post' ? validator.body(await readBody(raw)) : {},
        visitor,
        address: this.#arrival(raw).address,
        signal: raw.req.raw.signal,
        raw,
      };
      const answer = await route.handle(request, this.#around);
      return answer instanceof Response ? answer : raw.json(answer);
    });
  }

  /** Why a request is not even looked at; null: it is. */
  #refuse(raw: RawRequest): Error | null {
    const arrival = this.#arrival(raw);
    // Behind a proxy that is trusted, the proxy says who may come.
    if (this.#isOpen && !arrival.isProxied && !isLocalHost(arrival.host)) {
      return codedError('MND_HTTP_FORBIDDEN', {
        subject: `Host ${JSON.stringify(arrival.host.slice(0, 100))}`,
        expected: 'localhost or 127.0.0.1, as long as no users are configured',
        next: 'see status.users and status.trusted_proxies',
      });
    }
    if (raw.req.method !== 'POST') return null;
    const foreign = foreignPost(
      arrival,
      raw.req.header('Origin'),
      raw.req.header('Sec-Fetch-Site'),
    );
    if (foreign !== null) {
      return codedError('MND_HTTP_FORBIDDEN', {
        subject: foreign,
        expected: 'a request of this page itself',
      });
    }
    const type = raw.req.header('Content-Type')?.split(';', 1)[0]?.trim().toLowerCase();
    if (type === 'application/json') return null;
    return codedError('MND_HTTP_REQUEST', {
      subject: 'Content-Type',
      expected: 'application/json',
      found: (type ?? 'none').slice(0, 100),
    });
  }

  #visitor(raw: RawRequest): Visitor | null {
    const bearer = /^Bearer ([\w.~+/=-]{1,512})$/i.exec(raw.req.header('Authorization') ?? '')?.[1];
    if (bearer !== undefined) return this.#login.ofToken(bearer);
    if (this.#isOpen) return { name: 'local', role: 'admin', by: 'open' };
    const session = cookieOf(raw);
    const visitor = session === null ? null : this.#login.ofSession(session);
    if (visitor !== null || this.#login.hasUsers) return visitor;
    return this.#arrival(raw).isProxied ? { name: 'proxy', role: 'admin', by: 'proxy' } : null;
  }

  async #metrics(raw: RawRequest): Promise<Response> {
    const { metrics } = this.#options;
    if (metrics === null) throw codedError('MND_INPUT_MISSING', { subject: 'this address' });
    const bearer = /^Bearer (\S{1,512})$/i.exec(raw.req.header('Authorization') ?? '')?.[1];
    const isScraper =
      metrics.sha256 !== null && bearer !== undefined && isToken(bearer, metrics.sha256);
    if (!isScraper) admit(this.#visitor(raw), 'view');
    return raw.body(await metrics.read(), 200, { 'Content-Type': metrics.contentType });
  }

  #asset(raw: RawRequest, name: string): Response {
    const asset = this.#assets.get(name);
    if (asset === undefined) {
      return this.#fail(raw, codedError('MND_INPUT_MISSING', { subject: 'this address' }));
    }
    raw.header('Content-Type', asset.type);
    raw.header('Vary', 'Accept-Encoding');
    if (asset.isImmutable) raw.header('Cache-Control', 'private, max-age=31536000, immutable');
    if (/\bgzip\b/.test(raw.req.header('Accept-Encoding') ?? '')) {
      raw.header('Content-Encoding', 'gzip');
      return raw.body(asset.gzipped);
    }
    return raw.body(asset.bytes);
  }

  #fail(raw: RawRequest, error: Error): Response {
    const { status, body } = shownError(error);
    if (!isCodedError(error)) {
      const message = `the page failed: ${error.message}`;
      this.#repeating.error(message, message, { err: error });
    }
    return raw.json(body, status);
  }

  #arrival(raw: RawRequest): Arrival {
    return arrivalOf(raw.env.incoming, this.#proxies, this.#options.basePath);
  }

  #cookie(raw: RawRequest, value: string): string {
    const { prefix, scheme } = this.#arrival(raw);
    const secure = scheme === 'https' ? '; Secure' : '';
    return `${COOKIE}=${value}; Path=${prefix}; HttpOnly; SameSite=Strict${secure}`;
  }
}

function admit(visitor: Visitor | null, role: Role): void {
  if (visitor === null) throw codedError('MND_HTTP_LOGIN', { next: 'log in' });
  if (role === 'view' || visitor.role === 'admin') return;
  throw codedError('MND_HTTP_FORBIDDEN', { expected: 'the role admin', found: visitor.role });
}

/** A body of JSON within bounds; what is too large is not read to its end. */
async function readBody(raw: RawRequest): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stream = raw.req.raw.body;
  if (stream !== null) {
    for await (const chunk of stream) {
      length += chunk.byteLength;
      if (length > MAX_BODY) {
        raw.header('Connection', 'close');
        throw codedError('MND_HTTP_REQUEST', {
          subject: 'the body',
          expected: `at most ${MAX_BODY} bytes`,
        });
      }
      chunks.push(chunk);
    }
  }
  if (length === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw codedError('MND_HTTP_REQUEST', { subject: 'the body', expected: 'JSON' });
  }
}

function cookieOf(raw: RawRequest): string | null {
  const header = raw.req.header('Cookie') ?? '';
  return new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]{43})(?:;|$)`).exec(header)?.[1] ?? null;
}
