import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codedError, isCodedError } from '../../errors.js';
import { errorCodeOf } from '../../system-error.js';
import { type Clock, createBackoff, sleep, systemClock } from '../../time.js';
import { type Checksum, checksumError, checksumOf } from './checksum.js';
import { asDiskError, isDiskError, requireRoom } from './disk.js';
import {
  describeNetworkError,
  type HttpClient,
  type HttpResponse,
  withoutSecrets,
} from './http.js';

/** Larger than any model archive. */
export const MAX_DOWNLOAD_BYTES = 256 * 1024 * 1024;

/** Attempts in a row that bring nothing, and attempts in all. */
const MAX_FRUITLESS = 5;
const MAX_ATTEMPTS = 20;

export interface DownloadProgress {
  readonly received: number;
  /** Null while the server has not said. */
  readonly total: number | null;
}

export interface DownloadOptions {
  readonly url: string;
  /** Where the file ends up. What has arrived so far is in `partFile`, and is continued from there. */
  readonly file: string;
  readonly partFile: string;
  /** Null where none was published: what has arrived is then taken as it is. */
  readonly checksum: Checksum | null;
  readonly http: HttpClient;
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly clock?: Clock;
  /** 0 to 1, for the jitter of the waits. */
  readonly random?: () => number;
}

/** An answer that another attempt will not change. */
class FinalAnswer extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`HTTP status ${status}`);
    this.status = status;
  }
}

/**
 * Fetches a file over HTTP(S), continuing what an earlier attempt left, and holds it against its
 * checksum before it gets its name. Failures of the network are tried again with exponential
 * back-off; what is refused, too large or full is not.
 *
 * @throws MND_DOWNLOAD_FAILED, MND_MODEL_CHECKSUM, MND_MODEL_TOO_LARGE, MND_MODEL_UNWRITABLE
 */
export async function download(options: DownloadOptions): Promise<void> {
  const { file, partFile, checksum, signal } = options;
  if (checksum === null) {
    // Nothing would tell whether what is left of an earlier attempt is of the same file.
    await rm(partFile, { force: true });
    await transfer(options);
    await rename(partFile, file);
    return;
  }
  let clean = (await sizeOf(partFile)) === 0;
  for (;;) {
    await transfer(options);
    const found = await checksumOf(partFile, checksum.algorithm, signal);
    if (found === checksum.text) {
      await rename(partFile, file);
      return;
    }
    await rm(partFile, { force: true });
    // What was left of an earlier attempt may be of another file: once more, from the start.
    if (clean) throw checksumError(checksum, found, { subject: withoutSecrets(options.url) });
    clean = true;
  }
}

/** Brings `partFile` to its full length, in as many attempts as it may take. */
async function transfer(options: DownloadOptions): Promise<void> {
  const { clock = systemClock, random } = options;
  const backoff = createBackoff({ ...(random && { random }) });
  let fruitless = 0;
  for (let attempt = 1; ; attempt += 1) {
    const before = await sizeOf(options.partFile);
    try {
      await attemptTransfer(options, before);
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      const hasMoved = (await sizeOf(options.partFile)) > before;
      fruitless = hasMoved ? 0 : fruitless + 1;
      if (hasMoved) backoff.reset();
      const last = fruitless >= MAX_FRUITLESS || attempt >= MAX_ATTEMPTS;
      if (last || !isTransient(error)) throw asDownloadError(error, options);
    }
    await sleep(clock, backoff.next(), options.signal);
    options.signal?.throwIfAborted();
  }
}

function isTransient(error: unknown): boolean {
  if (isCodedError(error) || isDiskError(error)) return false;
  if (error instanceof FinalAnswer)
    return [408, 425, 429].includes(error.status) || error.status >= 500;
  const code = errorCodeOf(error) ?? '';
  const local = ['EIO', 'ENOENT', 'EISDIR', 'ERR_INVALID_URL'].includes(code);
  return !local && !code.startsWith('ERR_TLS') && !code.includes('CERT');
}

function asDownloadError(error: unknown, { url, partFile }: DownloadOptions): unknown {
  if (isCodedError(error)) return error;
  if (isDiskError(error)) return asDiskError(error, dirname(partFile));
  return codedError('MND_DOWNLOAD_FAILED', {
    subject: withoutSecrets(url),
    found: describeNetworkError(error),
    next: 'check the network, or put the file into the folder that MOBILENETD_MODELS_MIRROR names',
    cause: error,
  });
}

async function attemptTransfer(options: DownloadOptions, from: number): Promise<void> {
  const { url, http, signal, partFile } = options;
  const response = await http.get({
    url,
    headers: { ...options.headers, ...(from > 0 ? { range: `bytes=${from}-` } : {}) },
    signal,
  });
  try {
    const start = await startOf(response, from, partFile);
    const length = lengthOf(response);
    const total = length === null ? null : start + length;
    requireSmall(total ?? 0, options);
    await requireRoom(length ?? 0, dirname(partFile));
    await writeBody(response, start, total, options);
  } catch (error) {
    response.body.on('error', () => undefined);
    response.body.destroy();
    throw error;
  }
}

/** Where in the file the answer begins. */
async function startOf(response: HttpResponse, from: number, partFile: string): Promise<number> {
  const { statusCode, headers } = response;
  if (statusCode === 200) return 0;
  if (statusCode === 206) {
    const range = /^bytes (\d+)-/.exec(String(headers['content-range'] ?? ''));
    if (range !== null && Number(range[1]) === from) return from;
  }
  if (statusCode === 416 || statusCode === 206) {
    // Not the part that was asked for, or there is none: the next attempt begins anew, if this
    // one had something to give up. The checksum decides about a file that was already whole.
    const whole = /^bytes \*\/(\d+)$/.exec(String(headers['content-range'] ?? ''));
    if (statusCode === 416 && whole !== null && Number(whole[1]) === from) return from;
    await rm(partFile, { force: true });
    throw from > 0
      ? new Error(`the server cannot continue at byte ${from}`)
      : new FinalAnswer(statusCode);
  }
  throw new FinalAnswer(statusCode);
}

function lengthOf(response: HttpResponse): number | null {
  if (response.statusCode === 416) return 0;
  const length = Number(response.headers['content-length'] ?? Number.NaN);
  return Number.isSafeInteger(length) && length >= 0 ? length : null;
}

async function writeBody(
  response: HttpResponse,
  start: number,
  total: number | null,
  options: DownloadOptions,
): Promise<void> {
  if (response.statusCode === 416) {
    response.body.destroy();
    return;
  }
  const { partFile, onProgress } = options;
  const output = await open(partFile, start > 0 ? 'a' : 'w', 0o644);
  try {
    let received = start;
    onProgress?.({ received, total });
    for await (const chunk of response.body) {
      const bytes: Uint8Array = chunk;
      requireSmall(received + bytes.length, options);
      await output.appendFile(bytes);
      received += bytes.length;
      onProgress?.({ received, total });
    }
    if (total !== null && received !== total) throw new Error(`${received} of ${total} bytes`);
    await output.sync();
  } finally {
    await output.close();
  }
}

function requireSmall(
  bytes: number,
  { maxBytes = MAX_DOWNLOAD_BYTES, url }: DownloadOptions,
): void {
  if (bytes <= maxBytes) return;
  throw codedError('MND_MODEL_TOO_LARGE', {
    subject: withoutSecrets(url),
    expected: `at most ${maxBytes} bytes`,
    found: `${bytes} or more`,
  });
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}
