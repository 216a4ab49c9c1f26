import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const CACHE = '.build/made-once';
/** What turns a file into an installed model: when it changes, models are made anew. */
const MAKERS = [
  'dist/convert',
  'dist/families',
  'dist/inference',
  'dist/models',
  'models',
  '.build/test/convert',
];

/**
 * A folder that tests copy and do not change, made once for each build by whoever wants it first: others that
 * want it meanwhile wait. `make` fills a folder whose path it gets.
 */
export async function madeOnce(
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const made = join(CACHE, `${name}-${buildKey()}`);
  const lock = `${made}.lock`;
  mkdirSync(CACHE, { recursive: true });
  while (!existsSync(made)) {
    if (!takes(lock)) {
      await delay(200);
      continue;
    }
    const work = mkdtempSync(join(CACHE, 'making-'));
    try {
      // Another one may have been ready between the look and the lock.
      if (existsSync(made)) break;
      await make(work);
      renameSync(work, made);
    } finally {
      rmSync(work, { recursive: true, force: true });
      rmSync(lock, { force: true });
    }
  }
  return made;
}

/** Whether this process makes it now. A lock of a process that has ended is taken away. */
function takes(lock: string): boolean {
  try {
    writeFileSync(lock, `${process.pid}`, { flag: 'wx' });
    return true;
  } catch {
    // Somebody has it: is he still there?
  }
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    if (pid > 0) process.kill(pid, 0);
  } catch {
    rmSync(lock, { force: true });
  }
  return false;
}

function buildKey(): string {
  const hash = createHash('sha256');
  for (const folder of MAKERS) {
    for (const name of readdirSync(folder, { recursive: true }).sort()) {
      const { size, mtimeMs } = statSync(join(folder, String(name)));
      hash.update(`${name} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex').slice(0, 16);
}
