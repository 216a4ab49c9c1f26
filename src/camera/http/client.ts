import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { decoded, parseAddress } from '../../address.js';
import { codedError, isCodedError, messageOf } from '../../errors.js';
import { maskAddresses } from '../../mask.js';
import { type Clock, systemClock } from '../../time.js';
import { type Credentials, createLogin, type Login } from './digest.js';

export interface HttpOptions {
  /** `http://` or `https://`; a user name and password in it are used when there are no others. */
  readonly url: string;
  readonly username?: string | null;
  readonly password?: string | null;
  /** False takes a certificate that nobody vouches for; default true. */
  readonly verify?: boolean;
  readonly clock?: Clock;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
}

/** A camera's address, asked again and again. */
export interface HttpClient {
  /**
   * Asks for it; resolves with the head of a good answer (2xx, or 304 where `headers` make one
   * possible). The caller reads or destroys the body.
   *
   * @throws MND_CAMERA_FAILED, without anything secret
   */
  get(signal: AbortSignal, headers?: Readonly<Record<string, string>>): Promise<HttpAnswer>;
  /** The address, fit to be shown. */
  readonly subject: string;
}

/** Redirects that are followed, all on one host and in one scheme. */
const MAX_REDIRECTS = 3;
/** Milliseconds until the head of an answer. */
const HEAD_DEADLINE_MS = 10_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Asks cameras as they are: some send headers that a strict parser refuses. */
export function createHttpClient(options: HttpOptions): HttpClient {
  const clock = options.clock ?? systemClock;
  const { address, host, credentials } = separateCredentials(options);
  const subject = maskAddresses(options.url);
  const login = createLogin(credentials);

  const failed = (found: string, next?: string): Error =>
    codedError('MND_CAMERA_FAILED', { subject, found, ...(next !== undefined && { next }) });

  async function ask(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const target = `${url.pathname}${url.search}`;
    const authorization = login.header('GET', target);
    const deadline = new AbortController();
    const cancel = clock.setTimer(() => deadline.abort(), HEAD_DEADLINE_MS);
    try {
      return await open(
        { url, host, verify: options.verify ?? true },
        AbortSignal.any([signal, deadline.signal]),
        {
          host: url.host,
          accept: 'multipart/x-mixed-replace, image/jpeg, */*;q=0.5',
          'user-agent': 'mobilenetd',
          ...headers,
          ...(authorization !== null && { authorization }),
        },
      );
    } catch (error) {
      if (deadline.signal.aborted) {
        throw failed(`no answer within ${HEAD_DEADLINE_MS / 1000} s (timed out)`);
      }
      if (isCertificateError(error)) {
        const next = 'set verify: false for a camera whose certificate nobody signed';
        throw failed(`a certificate that cannot be verified (${messageOf(error)})`, next);
      }
      if (isParseError(error)) {
        const next = 'see that the address is one of HTTP; else try the camera’s RTSP address';
        throw failed(`an answer that is no HTTP (${messageOf(error)})`, next);
      }
      throw failed(messageOf(error));
    } finally {
      cancel();
    }
  }

  return {
    subject,
    async get(signal, headers = {}) {
      let url = address;
      let redirects = 0;
      for (;;) {
        const body = await ask(url, headers, signal);
        const status = body.statusCode ?? 0;
        if ((status >= 200 && status < 300) || status === 304) {
          return { status, headers: body.headers, body };
        }
        body.destroy();
        if (status === 401) {
          if (answered(login, body)) continue;
          const next =
            credentials === null
              ? 'give the camera username and password'
              : 'check username and password';
          throw failed('HTTP 401: the camera wants another login', next);
        }
        if (!REDIRECTS.has(status)) {
          throw failed(`HTTP ${status} ${body.statusMessage ?? ''}`.trimEnd());
        }
        const to = body.headers.location;
        const next = to !== undefined && URL.canParse(to, url.href) ? new URL(to, url.href) : null;
        if (next === null || next.origin !== address.origin) {
          throw failed(
            `a redirect to another address${next === null ? '' : `: ${maskAddresses(next.href)}`}`,
            'give the address itself; redirects to other hosts are not followed',
          );
        }
        redirects += 1;
        if (redirects > MAX_REDIRECTS) throw failed('redirects without an end');
        url = next;
      }
    },
  };
}

function answered(login: Login, { headers }: IncomingMessage): boolean {
  return login.challenge(headers['www-authenticate']);
}

interface Target {
  readonly url: URL;
  /** In place of the host of `url`. */
  readonly host: string;
  readonly verify: boolean;
}

function open(
  { url, host, verify }: Target,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const isTls = url.protocol === 'https:';
    const request = (isTls ? requestHttps : requestHttp)(url, {
      method: 'GET',
      hostname: host,
      headers,
      insecureHTTPParser: true,
      agent: false,
      ...(isTls && { rejectUnauthorized: verify }),
    });
    const abort = (): void => {
      request.destroy(new Error('stopped'));
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    request.on('response', (answer) => {
      signal.removeEventListener('abort', abort);
      // Whoever reads it listens; one that breaks before must not end the program.
      answer.on('error', () => {});
      resolve(answer);
    });
    request.on('error', (error) => {
      signal.removeEventListener('abort', abort);
      reject(error);
    });
    request.end();
  });
}

function isCertificateError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/.test(code);
}

/** Node's codes for bytes that its HTTP parser refuses. */
function isParseError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('HPE_');
}

/** Takes user name and password out of an address; keys of their own come first. */
export function separateCredentials(options: Pick<HttpOptions, 'url' | 'username' | 'password'>): {
  readonly address: URL;
  /** With the interface of a link-local address, which the parser of addresses does not know. */
  readonly host: string;
  readonly credentials: Credentials | null;
} {
  const parsed = parseAddress(options.url);
  if (parsed === null) {
    throw codedError('MND_CONFIG_INVALID', { subject: 'url', expected: 'an address' });
  }
  const { url: address, hostname: host } = parsed;
  const username = options.username ?? decoded(address.username);
  const password = options.password ?? decoded(address.password);
  address.username = '';
  address.password = '';
  const credentials = username === '' && password === '' ? null : { username, password };
  return { address, host, credentials };
}

/** Calls back with each chunk until the body ends (null), breaks or the signal is aborted (an error). */
export function readBody(
  { body }: HttpAnswer,
  signal: AbortSignal,
  onChunk: (chunk: Buffer) => void,
): Promise<Error | null> {
  return new Promise((resolve) => {
    const finish = (error: Error | null): void => {
      signal.removeEventListener('abort', abort);
      body.destroy();
      resolve(error);
    };
    const abort = (): void => finish(codedError('MND_CAMERA_STOPPED', {}));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    body.on('data', (chunk: Buffer) => {
      try {
        onChunk(chunk);
      } catch (error) {
        finish(isCodedError(error) ? error : new Error(messageOf(error)));
      }
    });
    body.on('end', () => finish(null));
    body.on('error', (error) => finish(error));
    body.on('close', () => finish(body.complete ? null : new Error('the connection was closed')));
    return undefined;
  });
}
