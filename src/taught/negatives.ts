import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codedError, messageOf } from '../errors.js';
import type { Variant } from '../models/variant.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { errorCodeOf } from '../system-error.js';
import { negativeBank } from '../teach/bank.js';

/** Embeddings of unrelated pictures that come with the package, one file a variant. */
const FOLDER = join(PACKAGE_ROOT, 'models/embeddings');

/**
 * Embeddings of unrelated pictures by a variant; none for a network that the package has no bank of. Forms of
 * one variant share a bank: they are the same network.
 *
 * @throws MND_TEACH_INVALID for a bank that is damaged or cannot be read
 */
export async function shippedNegatives(
  { name }: Pick<Variant, 'name'>,
  folder = FOLDER,
): Promise<readonly Float32Array[]> {
  const file = join(folder, `${name}.bank`);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    if (errorCodeOf(cause) === 'ENOENT') return [];
    const next = 'install mobilenetd again';
    throw codedError('MND_TEACH_INVALID', { subject: file, found: messageOf(cause), next, cause });
  }
  return negativeBank(bytes);
}
