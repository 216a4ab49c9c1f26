import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { builtCheck } from '../../built-check.js';
import { readJsonFile } from '../json-file.js';
import type { ShelfLog } from '../progress.js';
import { checksumError, checksumOf, sha256Sum } from './checksum.js';

/** Address → sha256 of what was there when it was fetched first. */
type Pins = Readonly<Record<string, string>>;

/** Compiled by scripts/build-checks.mjs. */
export const PINS_SCHEMA = {
  type: 'object',
  additionalProperties: { type: 'string', pattern: '^[0-9a-f]{64}$' },
};

const validate = builtCheck<Pins>('pins');

/**
 * Holds a file that no checksum was published for against what its address gave the first time, which is
 * written down then, and said.
 *
 * @param file what was fetched
 * @param pins file of what was fetched first; made when it is needed
 * @throws MND_MODEL_CHECKSUM if the address gives another file now; MND_MODEL_INVALID for damaged pins
 */
export async function pinOnFirstUse(
  file: string,
  { url, pins, log }: { readonly url: string; readonly pins: string; readonly log: ShelfLog },
): Promise<void> {
  const found = await checksumOf(file, 'sha256');
  const known = await readPins(pins);
  const pinned = Object.hasOwn(known, url) ? known[url] : undefined;
  if (pinned === found) return;
  if (pinned !== undefined) {
    throw checksumError(sha256Sum(pinned), found, {
      subject: `${basename(url)}, as it was when it was fetched here first`,
      next: `if its publisher says that there is a new one, take its line out of ${pins}`,
    });
  }
  const half = `${pins}.${process.pid}`;
  await writeFile(half, `${JSON.stringify({ ...known, [url]: found }, null, 2)}\n`);
  await rename(half, pins);
  log.warn(
    { url },
    `no checksum is published for this file; its sha256 is ${found}, and from now on it must be this one`,
  );
}

async function readPins(pins: string): Promise<Pins> {
  if (!existsSync(pins)) return {};
  return readJsonFile(pins, { validate, code: 'MND_MODEL_INVALID' });
}
