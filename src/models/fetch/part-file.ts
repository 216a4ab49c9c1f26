import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What a process that is gone has left may be older than its number's next owner. */
const STALE_MS = 24 * 3600 * 1000;

/**
 * Unfinished downloads are kept as `<key>.part`. Whoever continues one renames it to
 * `<key>.<pid>.part` first: of two processes that fetch the same file one continues, the other
 * begins anew, and neither writes into the other's.
 */
export async function claimPart(folder: string, key: string, pid: number): Promise<string> {
  const own = join(folder, `${key}.${pid}.part`);
  await rename(join(folder, `${key}.part`), own).catch(() => undefined);
  return own;
}

/** Gives an unfinished download back, for the next attempt. */
export async function releasePart(folder: string, key: string, pid: number): Promise<void> {
  const own = join(folder, `${key}.${pid}.part`);
  await rename(own, join(folder, `${key}.part`)).catch(() => undefined);
}

/** Gives back the parts of processes that have died, and removes what is a day old. */
export async function recoverParts(folder: string, now: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const file = join(folder, name);
    const age =
      now -
      (await stat(file).then(
        ({ mtimeMs }) => mtimeMs,
        () => now,
      ));
    if (age > STALE_MS) {
      await rm(file, { force: true });
      continue;
    }
    const match = /^(.+)\.(\d+)\.part$/.exec(name);
    if (match?.[1] === undefined || isAlive(Number(match[2]))) continue;
    await rename(file, join(folder, `${match[1]}.part`)).catch(() => undefined);
  }
}

/** Whether a process of this number runs (perhaps another user's). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
