import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { codedError, messageOf } from '../errors.js';
import { createRepeatingLog, type Log } from '../log.js';
import type { Clock } from '../time.js';
import { Admission } from './admission.js';
import type { AppOptions } from './app.js';
import { Backlog } from './backlog.js';
import type { PageSource } from './contract.js';
import { securityHeaders } from './guard.js';
import type { createListener } from './listener.js';
import { LivePictures } from './live-pictures.js';
import { Login, type VerifyPassword } from './login.js';
import type { PageOptions } from './options.js';
import { Streams } from './stream.js';

export interface Page {
  /** Address of the page, for people. */
  readonly url: string;
  readonly viewers: () => number;
  /** Speaks https with another certificate from now on. */
  renew(tls: NonNullable<PageOptions['tls']>): void;
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 128;
/** A connection that moves no byte for so long is dropped, ms. */
const IDLE_MS = 30_000;
/** Headers and body must have come by then, ms; looked at as often as LOOK_MS. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const LOOK_MS = 5000;
const KEEP_ALIVE_MS = 5000;

/** Starts the page. @throws MND_HTTP_LISTEN */
export async function startPage(
  options: PageOptions,
  source: PageSource,
  {
    clock,
    log,
    verify,
  }: { readonly clock: Clock; readonly log: Log; readonly verify: VerifyPassword },
): Promise<Page> {
  const { users, tokens, frameAncestors } = options;
  const login = new Login({ users, tokens, verify, clock });
  const admission = new Admission(options, login);
  const streams = new Streams(source, clock);
  const backlog = new Backlog();
  const repeating = createRepeatingLog(log, { clock });
  const answer = listenerOf({
    options,
    clock,
    around: {
      source,
      login,
      admission,
      streams,
      pictures: new LivePictures(source, clock),
      headers: (raw) => securityHeaders(admission.arrival(raw), frameAncestors),
    },
    onDefect(error) {
      const message = `the page failed: ${error.message}`;
      repeating.error(message, message, { err: error });
    },
  });
  const server = serverOf(options.tls, (request, response) => {
    if (backlog.add(response, request.socket)) void answer(request, response);
  });
  const url = await listen(server, options).catch((error: unknown) => {
    streams.close();
    throw error;
  });
  return {
    url,
    viewers: () => streams.count,
    renew(tls) {
      if ('setSecureContext' in server) server.setSecureContext(tls);
    },
    async close() {
      streams.close();
      await closed(server);
    },
  };
}

/** hono and the routes are loaded by the first request: a page that nobody opens takes no memory for them. */
function listenerOf(
  options: AppOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  let loading: Promise<ReturnType<typeof createListener>> | null = null;
  return async (request, response) => {
    try {
      loading ??= import('./listener.js').then((listener) => listener.createListener(options));
      await (await loading)(request, response);
    } catch (error) {
      loading = null;
      options.onDefect(error instanceof Error ? error : new Error(String(error)));
      response.destroy();
    }
  };
}

function serverOf(tls: PageOptions['tls'], handle: RequestListener): HttpServer | TlsServer {
  const bounds = { connectionsCheckingInterval: LOOK_MS };
  const server =
    tls === null ? createServer(bounds, handle) : createTlsServer({ ...tls, ...bounds }, handle);
  server.maxConnections = MAX_CONNECTIONS;
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.setTimeout(IDLE_MS);
  return server;
}

function listen(
  server: HttpServer | TlsServer,
  { host, port, tls, basePath }: PageOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        codedError('MND_HTTP_LISTEN', {
          subject: `status.listen ${host}:${port}`,
          found: messageOf(cause),
          next: 'choose another port, or null for no page',
          cause,
        }),
      ),
    );
    server.listen(port, host, () => {
      const address = server.address() as AddressInfo;
      const name = address.family === 'IPv6' ? `[${host}]` : host;
      resolve(`${tls === null ? 'http' : 'https'}://${name}:${address.port}${basePath}`);
    });
  });
}

function closed(server: HttpServer | TlsServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
