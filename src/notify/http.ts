import { systemClock } from '../time.js';
import type { Outcome } from './channel.js';

export type HttpBody = string | Uint8Array<ArrayBuffer> | Blob | FormData;

export interface HttpRequest {
  /** With user name and password, where it has them. */
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: HttpBody | null;
}

export interface HttpAnswer {
  readonly status: number;
  /** What there is of the body, cut. */
  readonly text: string;
  readonly retryAfterMs: number | null;
}

/** An attempt that brought no answer: why, for people, without a secret. */
export interface HttpFailure {
  readonly failure: string;
}

const MAX_REDIRECTS = 3;
const MAX_ANSWER = 64 * 1024;
/** Whoever asks for more patience than this is asked again all the same, ms. */
const MAX_RETRY_AFTER_MS = 3_600_000;
const REPEATS: readonly number[] = [301, 302, 307, 308];

/**
 * Asks once, within a time limit (ms) for all of it. A redirection is followed, with method and body, as
 * long as it stays at the same place (scheme, host and port): what was sent is for nobody else.
 */
export async function ask(
  request: HttpRequest,
  { fetch, timeoutMs }: { readonly fetch: typeof globalThis.fetch; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<HttpAnswer | HttpFailure> {
  const { place, authorization } = withoutLogin(request.url);
  if (place === null) return { failure: 'the address cannot be read' };
  const headers = { ...authorization, ...request.headers };
  // Not AbortSignal.timeout: Node 20 may collect one that only AbortSignal.any holds, and then never aborts.
  const overdue = new AbortController();
  const cancel = systemClock.setTimer(
    () => overdue.abort(new DOMException('overdue', 'TimeoutError')),
    timeoutMs,
  );
  const until = AbortSignal.any([signal, overdue.signal]);
  const { method, body } = request;
  try {
    let url = place;
    for (let hop = 0; ; hop += 1) {
      const how = { method, headers, body, redirect: 'manual', signal: until } as const;
      const response = await fetch(url.href, how);
      const location = response.headers.get('location');
      if (!REPEATS.includes(response.status) || location === null) return await read(response);
      await response.body?.cancel();
      const next = URL.canParse(location, url.href) ? new URL(location, url) : null;
      if (next === null) return { failure: 'it redirects to an address that cannot be read' };
      if (next.origin !== place.origin) {
        return { failure: `it redirects to another place (${next.origin}), which is not followed` };
      }
      if (hop === MAX_REDIRECTS) return { failure: 'it redirects again and again' };
      url = next;
    }
  } catch (error) {
    return { failure: reasonOf(error, timeoutMs) };
  } finally {
    cancel();
  }
}

/** What an answer means for the message. */
export function outcomeOf(answer: HttpAnswer | HttpFailure): Outcome {
  if ('failure' in answer) return { kind: 'later', why: answer.failure, afterMs: null };
  const { status, text, retryAfterMs } = answer;
  if ((status >= 200 && status < 300) || status === 303) return { kind: 'done' };
  const beginning = text.replace(/\s+/g, ' ').trim().slice(0, 120);
  const why = `it answers ${status}${beginning === '' ? '' : `: ${beginning}`}`;
  if (UNFIT.includes(status)) return { kind: 'never', why };
  return { kind: 'later', why, afterMs: retryAfterMs };
}

/** The message itself is not taken; of anything else (a password, an overload) another try may help. */
const UNFIT: readonly number[] = [400, 406, 411, 413, 414, 415, 422, 431];

async function read(response: Response): Promise<HttpAnswer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (; reader !== undefined && length < MAX_ANSWER; ) {
    const { value, done } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
  }
  // Whatever more it says is not listened to.
  await reader?.cancel().catch(() => {});
  return {
    status: response.status,
    text: Buffer.concat(chunks).subarray(0, MAX_ANSWER).toString(),
    retryAfterMs: retryAfter(response.headers.get('retry-after')),
  };
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
export function retryAfter(text: string | null, now = systemClock.wall()): number | null {
  if (text === null) return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS) : null;
}

/** fetch takes no user name and password in an address. */
function withoutLogin(text: string): {
  readonly place: URL | null;
  readonly authorization: Readonly<Record<string, string>>;
} {
  const place = URL.canParse(text) ? new URL(text) : null;
  if (place === null || place.username === '') return { place, authorization: {} };
  const login = `${decodeURIComponent(place.username)}:${decodeURIComponent(place.password)}`;
  place.username = '';
  place.password = '';
  return { place, authorization: basic(login) };
}

/** @param login `user:password` */
export function basic(login: string): Readonly<Record<string, string>> {
  return { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  UND_ERR_SOCKET: 'it closed the connection',
  ENOTFOUND: 'no machine has this name',
  EAI_AGAIN: 'no name server answers',
  EHOSTUNREACH: 'the machine cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the machine does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'the machine does not answer',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself (NODE_EXTRA_CA_CERTS adds one)',
  SELF_SIGNED_CERT_IN_CHAIN: 'nobody known signed its certificate (NODE_EXTRA_CA_CERTS adds one)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'nobody known signed its certificate',
};

/** Never the message itself, which may hold the address. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `no whole answer within ${timeoutMs / 1000} s`;
  }
  const code = codeOf(error) ?? codeOf(error instanceof Error ? error.cause : null);
  if (code === null) {
    // Ports of other protocols, which no browser asks either (the Fetch standard's list).
    return isBadPort(error) ? 'fetch does not ask this port' : 'the request failed';
  }
  if (code.startsWith('HPE_')) return 'it does not speak HTTP';
  return REASONS[code] ?? `the request failed (${code})`;
}

function isBadPort(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && cause.message === 'bad port';
}

function codeOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : null;
}
