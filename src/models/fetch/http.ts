import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { codedError, messageOf } from '../../errors.js';
import { VERSION } from '../../package-root.js';
import { errorCodeOf } from '../../system-error.js';
import { systemClock } from '../../time.js';
import { openTunnel, proxyFor, proxyHeaders } from './proxy.js';

export interface HttpTimeouts {
  /** Milliseconds until the answer begins: name, connection, proxy, TLS and the server's thinking. */
  readonly answer: number;
  /** Longest pause inside the answer, milliseconds. */
  readonly idle: number;
}

export const DEFAULT_TIMEOUTS: HttpTimeouts = { answer: 30_000, idle: 30_000 };

const MAX_REDIRECTS = 5;

export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: IncomingMessage['headers'];
  /** Fails if the transfer breaks, stalls or is aborted. */
  readonly body: IncomingMessage;
}

export interface HttpClient {
  /**
   * GET, following at most {@link MAX_REDIRECTS} redirects. Never from https to http, and
   * credentials stay with the host they are for.
   *
   * @throws MND_DOWNLOAD_FAILED for a bad redirect; Node's errors for everything below HTTP
   */
  get(request: HttpRequest): Promise<HttpResponse>;
}

/**
 * A client that honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY. It keeps no connections.
 *
 * @param env where the proxy is looked for
 */
export function createHttpClient(env: NodeJS.ProcessEnv, timeouts: HttpTimeouts): HttpClient {
  return {
    async get({ url: address, headers: own, signal }) {
      let url = new URL(address);
      let headers: Record<string, string> = {
        'user-agent': `mobilenetd/${VERSION}`,
        'accept-encoding': 'identity',
        ...own,
      };
      for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
        const response = await requestOnce(url, {
          headers,
          proxy: proxyFor(url, env),
          timeouts,
          signal,
        });
        const target = redirectOf(response, url);
        if (target === null) return response;
        if (target.origin !== url.origin) {
          const { authorization: _authorization, ...rest } = headers;
          headers = rest;
        }
        url = target;
      }
      throw refused(address, `at most ${MAX_REDIRECTS} redirects`, 'more');
    },
  };
}

interface OneRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly proxy: URL | null;
  readonly timeouts: HttpTimeouts;
  readonly signal: AbortSignal | undefined;
}

/** One request, up to the head of its answer; the body is watched for pauses from then on. */
async function requestOnce(
  url: URL,
  { headers, proxy, timeouts, signal }: OneRequest,
): Promise<HttpResponse> {
  const overdue = new AbortController();
  const cancel = systemClock.setTimer(() => overdue.abort(), timeouts.answer);
  const ended = AbortSignal.any([overdue.signal, ...(signal === undefined ? [] : [signal])]);
  try {
    const body = await send(url, headers, proxy, ended);
    body.setTimeout(timeouts.idle, () => body.destroy(new Error('the transfer stalled')));
    return { statusCode: body.statusCode ?? 0, headers: body.headers, body };
  } catch (error) {
    signal?.throwIfAborted();
    throw overdue.signal.aborted ? new Error('no answer in time') : error;
  } finally {
    cancel();
  }
}

async function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  proxy: URL | null,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const common: RequestOptions = { agent: false, headers: { ...headers }, signal };
  if (proxy === null) return answerOf(url, common);
  if (url.protocol === 'http:') {
    // A proxy takes the whole address of an http resource (RFC 9112 §3.2.2).
    const asked = { ...headers, ...proxyHeaders(proxy), host: url.host };
    return answerOf(proxy, { ...common, path: url.href, headers: asked });
  }
  const socket = await openTunnel(url, proxy, signal);
  const host = url.hostname;
  const servername = isIP(host) === 0 ? host : '';
  const createConnection = () => tlsConnect({ socket, host, servername });
  return answerOf(url, { ...common, createConnection });
}

function answerOf(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options);
    request.once('response', resolve);
    // Stays: an error after the head belongs to the body, which fails with it.
    request.on('error', reject);
    request.end();
  });
}

function redirectOf({ statusCode, headers, body }: HttpResponse, from: URL): URL | null {
  if (![301, 302, 303, 307, 308].includes(statusCode)) return null;
  body.on('error', () => undefined);
  body.destroy();
  const { location } = headers;
  if (location === undefined || !URL.canParse(location, from.href)) {
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
  ECONNRESET: 'the connection ended too early',
};

/** Why a transfer failed, in words. */
export function describeNetworkError(error: unknown): string {
  const code = errorCodeOf(error);
  const words = code === undefined ? undefined : WORDS[code];
  // An AggregateError (every address of a host failed) has an empty message.
  return words ?? (messageOf(error) || code || 'an unknown failure');
}
