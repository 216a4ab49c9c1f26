import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { codedError, messageOf } from '../errors.js';

const SUFFIXES = ['', '-wal', '-shm', '-journal'];

/**
 * Removes the files it is given when its standard input ends without a word: the process that wrote
 * them is gone, and a `kill -9` gives nobody the time to tidy up.
 */
const SWEEPER = `
const { rmSync } = require('node:fs');
let finished = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.stdin.on('data', () => { finished = true; });
process.stdin.on('end', () => {
  if (!finished) for (const file of process.argv.slice(1)) rmSync(file, { force: true });
});`;

/**
 * Makes a file under the name `<target>.part`, its owner's alone, and gives it its name when `write`
 * is done. Nothing is left of it when that fails, nor when this process is killed.
 *
 * @throws MND_BACKUP_FAILED when the target exists (unless it may be replaced) or cannot be made
 */
export async function writePartFile<T>(
  target: string,
  overwrite: boolean,
  write: (part: string) => Promise<T>,
): Promise<T> {
  if (existsSync(target) && !overwrite) {
    throw codedError('MND_BACKUP_FAILED', {
      subject: target,
      expected: 'a new file',
      found: 'one that exists',
      next: 'name another, or add --force',
    });
  }
  const part = resolve(`${target}.part`);
  const files = SUFFIXES.map((suffix) => `${part}${suffix}`);
  const remove = () => {
    for (const file of files) rmSync(file, { force: true });
  };
  remove();
  // Before the file is there: a kill can come at any moment.
  const keep = watchOver(files);
  try {
    makePrivate(part, target);
    const answer = await write(part);
    renameSync(part, target);
    return answer;
  } finally {
    remove();
    keep();
  }
}

function makePrivate(part: string, target: string): void {
  try {
    closeSync(openSync(part, 'wx', 0o600));
  } catch (cause) {
    throw codedError('MND_BACKUP_FAILED', { subject: target, found: messageOf(cause), cause });
  }
}

/** Returns how to tell the sweeper that there is nothing to do. */
function watchOver(files: readonly string[]): () => void {
  const child = spawn(process.execPath, ['-e', SWEEPER, ...files], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
  });
  // Without it a kill leaves a file behind, which the next run removes.
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  child.unref();
  return () => void child.stdin.end('done');
}
