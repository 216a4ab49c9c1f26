import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { isCodedError } from '#mobilenetd/errors.js';
import { openShelf } from '#mobilenetd/models/shelf.js';

/** The default detector. */
export const DETECTOR = 'ssdlite_mobilenet_v2_coco';

/** A state folder with models of the catalogue; null: one of them cannot be fetched here. */
export async function installedFromCatalogue(
  t: Test,
  names: readonly string[],
): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'mnd-'));
  t.teardown(() =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 }),
  );
  const shelf = openShelf({ dir: join(folder, 'models') });
  try {
    await shelf.pull(names, { forms: ['symmetric'] });
    return folder;
  } catch (error) {
    if (isCodedError(error) && error.code === 'MND_DOWNLOAD_FAILED') return null;
    throw error;
  }
}
