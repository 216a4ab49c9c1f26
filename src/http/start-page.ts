import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { isLoopback } from '../address.js';
import { arrivalOf, hostNameOf, securityHeaders, TrustedProxies } from './guard.js';
import type { PageOptions } from './options.js';

export interface StartPageOptions
  extends Pick<
    PageOptions,
    'host' | 'port' | 'tls' | 'users' | 'trustedProxies' | 'hosts' | 'basePath' | 'frameAncestors'
  > {
  readonly version: string;
  /** What is being done, for people; null where nothing says. */
  readonly doing: () => string | null;
}

export interface StartPage {
  /** Resolves when the address is free again. */
  close(): Promise<void>;
}

const RETRY_S = 2;
const MAX_CONNECTIONS = 32;
const IDLE_MS = 10_000;

/**
 * Tells how far a start is at the page's address, until the page itself takes it: a first start fetches a
 * network, which may take minutes. Every answer is a 503. What is being done is told to those alone who see
 * the page without a login; others learn that something starts.
 *
 * @throws what listening throws
 */
export async function startStartPage(options: StartPageOptions): Promise<StartPage> {
  const { host, port, tls } = options;
  const proxies = new TrustedProxies(options.trustedProxies);
  const handle = (request: IncomingMessage, response: ServerResponse) =>
    answer(request, response, options, proxies);
  const server = tls === null ? createServer(handle) : createTlsServer(tls, handle);
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_MS);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: StartPageOptions,
  proxies: TrustedProxies,
): void {
  const arrival = arrivalOf(request, proxies, options.basePath);
  const doing = isTrusted(arrival, options) ? options.doing() : null;
  const wantsJson = request.url?.startsWith(`${options.basePath}api/`) ?? false;
  const { version } = options;
  response.writeHead(503, {
    ...securityHeaders(arrival, options.frameAncestors),
    'Retry-After': RETRY_S,
    'Content-Type': wantsJson ? 'application/json' : 'text/html; charset=utf-8',
  });
  response.end(wantsJson ? JSON.stringify({ phase: 'starting', doing, version }) : document(doing));
}

/** Whether whoever asks would see the page without a login. */
function isTrusted(
  { isProxied, host }: ReturnType<typeof arrivalOf>,
  { users, host: own, hosts }: StartPageOptions,
): boolean {
  if (Object.keys(users).length > 0) return false;
  const name = hostNameOf(host);
  const isNamed =
    name !== null && (isLoopback(name) || hosts.some((each) => each.toLowerCase() === name));
  return isProxied ? hosts.length === 0 || isNamed : isLoopback(own) && isNamed;
}

function document(doing: string | null): string {
  const text = doing === null ? '' : `\n<p role="status">${escaped(doing)}</p>`;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><meta http-equiv="refresh" content="${RETRY_S}">
<title>mobilenetd starts</title>
<h1>mobilenetd starts</h1>${text}
<p>This page opens by itself.</p>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
