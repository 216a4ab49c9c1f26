import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { codedError, messageOf } from '../errors.js';
import { VERSION } from '../package-root.js';
import { errorCodeOf } from './disk.js';

export interface HttpTimeouts {
  /** Milliseconds until a connection stands. */
  readonly connect: number;
  /** Milliseconds until the answer begins, and the longest pause inside it. */
  readonly idle: number;
}

export const DEFAULT_TIMEOUTS: HttpTimeouts = { connect: 15_000, idle: 30_000 };

const MAX_REDIRECTS = 5;

/**
 * Connections that honour HTTP_PROXY, HTTPS_PROXY and NO_PROXY. The caller closes it.
 *
 * @param env where the proxy is looked for; names in lower case win, as everywhere
 */
export function createHttpAgent(env: NodeJS.ProcessEnv, timeouts: HttpTimeouts): Dispatcher {
  const pick = (name: string) => env[name.toLowerCase()] || env[name] || '';
  const httpProxy = pick('HTTP_PROXY');
  const httpsProxy = pick('HTTPS_PROXY');
  const options = {
    connect: { timeout: timeouts.connect },
    headersTimeout: timeouts.idle,
    bodyTimeout: timeouts.idle,
  };
  // The proxy agent announces on stderr that it is experimental: only who needs it shall read that.
  if (httpProxy === '' && httpsProxy === '') return new Agent(options);
  return new EnvHttpProxyAgent({ ...options, httpProxy, httpsProxy, noProxy: pick('NO_PROXY') });
}

export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
  readonly signal?: AbortSignal;
}

export type HttpResponse = Dispatcher.ResponseData;

/**
 * GET, following at most {@link MAX_REDIRECTS} redirects. Never from https to http, and credentials
 * stay with the host they are for.
 *
 * @throws MND_DOWNLOAD_FAILED for a bad redirect; undici's errors for everything below HTTP
 */
export async function httpGet(options: HttpRequest): Promise<HttpResponse> {
  const { dispatcher, signal } = options;
  let url = new URL(options.url);
  let headers: Record<string, string> = {
    'user-agent': `mobilenetd/${VERSION}`,
    'accept-encoding': 'identity',
    ...options.headers,
  };
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const response = await request(url, { dispatcher, headers, signal: signal ?? null });
    const target = redirectOf(response, url);
    if (target === null) return response;
    await response.body.dump().catch(() => undefined);
    if (target.origin !== url.origin) {
      const { authorization: _authorization, ...rest } = headers;
      headers = rest;
    }
    url = target;
  }
  throw refused(options.url, `at most ${MAX_REDIRECTS} redirects`, 'more');
}

function redirectOf(response: HttpResponse, from: URL): URL | null {
  if (![301, 302, 303, 307, 308].includes(response.statusCode)) return null;
  const location = response.headers.location;
  if (typeof location !== 'string' || !URL.canParse(location, from.href)) {
    throw refused(from.href, 'a redirect to an address', 'one without');
  }
  const target = new URL(location, from);
  const secure = target.protocol === 'https:';
  if (!secure && (target.protocol !== 'http:' || from.protocol === 'https:')) {
    throw refused(from.href, 'a redirect to https', target.protocol);
  }
  return target;
}

function refused(url: string, expected: string, found: string): Error {
  return codedError('MND_DOWNLOAD_FAILED', { subject: withoutSecrets(url), expected, found });
}

/** An address fit for messages: without user, password and query (signed addresses keep keys there). */
export function withoutSecrets(address: string): string {
  if (!URL.canParse(address)) return 'an address that is none';
  const url = new URL(address);
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return url.href;
}

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the name service does not answer',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the transfer stalled',
  UND_ERR_SOCKET: 'the connection ended too early',
};

/** Why a transfer failed, in words. */
export function describeNetworkError(error: unknown): string {
  const code = errorCodeOf(error);
  const words = code === undefined ? undefined : WORDS[code];
  // An AggregateError (every address of a host failed) has an empty message.
  return words ?? (messageOf(error) || code || 'an unknown failure');
}
