import { codedError } from '../errors.js';
import type { RawRequest } from './raw-request.js';

/** Bytes a body may have. */
const MAX_BODY = 64 * 1024;

/**
 * A body of JSON within bounds; what is too large is not read to its end.
 *
 * @throws MND_HTTP_REQUEST
 */
export async function readBody(raw: RawRequest): Promise<unknown> {
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
