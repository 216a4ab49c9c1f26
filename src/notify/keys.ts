import { nullable, number, secret } from '../schema/format.js';
import { key } from '../schema/section.js';
import { filePath } from '../schema/text.js';

/* Keys that more than one channel has. */

export const TIMEOUT_KEY = key(
  number(1, 120, 'seconds'),
  10,
  'How long an attempt may take, seconds.',
);

/** A text that nobody else may see. */
export function secretKey(doc: string) {
  return key(nullable(secret), null, doc, { sensitive: true });
}

export function fileKey(doc: string) {
  return key(nullable(filePath), null, doc, { path: true });
}
