import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { codedError } from '../../errors.js';

/** A checksum that a file must have: sha256 in hexadecimal, or `sha512-` and base64 as npm writes it. */
export interface Checksum {
  readonly algorithm: 'sha256' | 'sha512';
  /** As published. */
  readonly text: string;
}

export function sha256Sum(hex: string): Checksum {
  return { algorithm: 'sha256', text: hex };
}

export function integritySum(integrity: string): Checksum {
  return { algorithm: 'sha512', text: integrity };
}

/** A file's checksum in the notation of `algorithm`. */
export async function checksumOf(
  file: string,
  algorithm: Checksum['algorithm'],
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash(algorithm);
  const stream = createReadStream(file, { highWaterMark: 1 << 18, ...(signal ? { signal } : {}) });
  for await (const chunk of stream) hash.update(chunk);
  return algorithm === 'sha256' ? hash.digest('hex') : `sha512-${hash.digest('base64')}`;
}

/** @throws MND_MODEL_CHECKSUM that says what was expected and found */
export async function requireChecksum(
  file: string,
  sum: Checksum,
  options: { readonly subject: string; readonly next?: string; readonly signal?: AbortSignal },
): Promise<void> {
  const found = await checksumOf(file, sum.algorithm, options.signal);
  if (found !== sum.text) throw checksumError(sum, found, options);
}

export function checksumError(
  sum: Checksum,
  found: string,
  { subject, next }: { readonly subject: string; readonly next?: string },
): Error {
  const show = (text: string) => (sum.algorithm === 'sha256' ? `sha256 ${text}` : text);
  return codedError('MND_MODEL_CHECKSUM', {
    subject,
    expected: show(sum.text),
    found: show(found),
    next: next ?? 'what is installed was not touched',
  });
}
