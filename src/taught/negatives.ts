import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Variant } from '../models/variant.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { negativeBank } from '../teach/bank.js';

/** Embeddings of unrelated pictures that come with the package, one file a variant. */
const FOLDER = 'models/embeddings';

/**
 * Embeddings of unrelated pictures by a variant; none for a network that the package has no bank of. Forms of
 * one variant share a bank: they are the same network.
 *
 * @throws MND_TEACH_INVALID for a bank that is damaged
 */
export async function shippedNegatives({ name }: Variant): Promise<readonly Float32Array[]> {
  const bytes = await readFile(join(PACKAGE_ROOT, FOLDER, `${name}.bank`)).catch(() => null);
  return bytes === null ? [] : negativeBank(bytes);
}
