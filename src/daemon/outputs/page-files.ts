import { readFileSync } from 'node:fs';
import type { Config } from '../../config/config.js';
import { codedError, messageOf } from '../../errors.js';
import type { Log } from '../../log.js';
import { type Clock, every } from '../../time.js';

/** Bytes of the longest file that is read: a certificate with its chain. */
const MAX_FILE = 1_000_000;
/** Between two looks at the certificate's files: they are renewed weeks before they end, ms. */
const LOOK_MS = 3_600_000;

type Files = Config['status']['tls'];

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The certificate of the page; null: it speaks http. @throws MND_CONFIG_INVALID for a file that cannot be read */
export function readCertificate({ cert_file: cert, key_file: key }: Files): Certificate | null {
  if (cert === null || key === null) return null;
  return {
    cert: readStatusFile('tls.cert_file', cert),
    key: readStatusFile('tls.key_file', key),
  };
}

/** Hands on a certificate that was renewed on the disk; returns how to end that. */
export function followCertificate(
  files: Files,
  renew: (certificate: Certificate) => void,
  log: Log,
  clock: Clock,
): () => void {
  if (files.cert_file === null) return () => {};
  let used = readCertificate(files);
  const look = () => {
    try {
      const found = readCertificate(files);
      if (found === null || (used?.cert.equals(found.cert) && used.key.equals(found.key))) return;
      // A pair that is only half written is refused here, and looked at again.
      renew(found);
      used = found;
      log.info({ file: files.cert_file }, 'the page has a new certificate');
    } catch (error) {
      log.warn({ err: error }, `the page keeps its certificate: ${messageOf(error)}`);
    }
  };
  return every(clock, LOOK_MS, look);
}

/** @param key below `status`. @throws MND_CONFIG_INVALID for a file that cannot be read */
export function readStatusFile(key: string, file: string): Buffer {
  try {
    const bytes = readFileSync(file);
    if (bytes.length <= MAX_FILE) return bytes;
    throw new Error(`it has more than ${MAX_FILE} bytes`);
  } catch (cause) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: `status.${key}`,
      expected: 'a file that can be read',
      found: messageOf(cause),
      cause,
    });
  }
}
