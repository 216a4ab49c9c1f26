import { randomBytes } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../durable-file.js';
import { makeFolder } from '../../make-folder.js';
import { isAlive } from '../fetch/part-file.js';

const STALE_MS = 24 * 3600 * 1000;
const TEMPORARY = /^\.(staging|retired)-(.+)-(\d+)-([0-9a-f]{8})-\d+$/;

/** Tells this process from an earlier one of the same number (in a container it is always the same). */
const TOKEN = randomBytes(4).toString('hex');
let count = 0;

function unique(kind: 'staging' | 'retired', name: string): string {
  count += 1;
  return `.${kind}-${name}-${process.pid}-${TOKEN}-${count}`;
}

/** A hidden folder beside the models, where one is put together. */
export async function createStaging(dir: string, name: string): Promise<string> {
  const folder = join(dir, unique('staging', name));
  makeFolder(folder);
  return folder;
}

/**
 * Makes a finished folder the model of this name. At every moment, also after a crash, the name
 * stands for a whole model or for none; one that was there before is put aside first, and
 * {@link recover} brings it back should the new one not take its place.
 */
export async function commit(dir: string, staging: string, name: string): Promise<void> {
  await syncFolder(staging);
  const target = join(dir, name);
  const retired = join(dir, unique('retired', name));
  const replaced = await rename(target, retired).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  try {
    await rename(staging, target);
  } catch (error) {
    if (replaced) await rename(retired, target);
    throw error;
  }
  await syncFolder(dir);
  if (replaced) await rm(retired, { recursive: true, force: true });
}

/** Takes a model away: gone at once, also if the deletion itself is interrupted. */
export async function retire(dir: string, name: string): Promise<void> {
  // A name of its own: `recover` must not bring it back.
  const gone = join(dir, unique('staging', name));
  await rename(join(dir, name), gone);
  await syncFolder(dir);
  await rm(gone, { recursive: true, force: true });
}

/**
 * Cleans up behind processes that died: half-made models are removed, and a model that was put aside
 * for one that never came gets its name back. What a living process works on is left alone.
 */
export async function recover(dir: string, now: number): Promise<void> {
  const names = await readdir(dir).catch(() => []);
  for (const entry of names) {
    const path = join(dir, entry);
    const [, kind, name, pid, token] = TEMPORARY.exec(entry) ?? [];
    if (name === undefined) continue;
    const inUse = Number(pid) === process.pid ? token === TOKEN : isAlive(Number(pid));
    const age =
      now -
      (await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => now,
      ));
    if (inUse && age < STALE_MS) continue;
    if (kind === 'retired' && (await takesPlace(path, join(dir, name)))) continue;
    // Who may only read the folder leaves the cleaning to others.
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Not if the name is taken by a newer model, which is then the one to keep. */

async function takesPlace(from: string, to: string): Promise<boolean> {
  const taken = await stat(to).then(
    () => true,
    () => false,
  );
  if (taken) return false;
  return rename(from, to).then(
    () => true,
    () => false,
  );
}
