import { spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { codedError } from '../errors.js';
import { resultFailed, resultStat } from '../result-file.js';

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
 * @throws MND_OUTPUT_FAILED when the target exists (unless it may be replaced) or cannot be made
 */
export async function writePartFile<T>(
  target: string,
  overwrite: boolean,
  write: (part: string) => Promise<T>,
): Promise<T> {
  requireFree(target, overwrite);
  const part = resolve(`${target}.part`);
  const files = SUFFIXES.map((suffix) => `${part}${suffix}`);
  const remove = () => {
    for (const file of files) rmSync(file, { force: true });
  };
  try {
    remove();
  } catch (cause) {
    throw resultFailed(target, cause);
  }
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

/**
 * What is no file (a folder, a device) is never replaced.
 *
 * @throws MND_OUTPUT_FAILED when there is something that may not be replaced
 */
export function requireFree(target: string, overwrite: boolean): void {
  const there = resultStat(target);
  if (there === null || (overwrite && there.isFile())) return;
  const kind = there.isDirectory() ? 'a folder' : 'something that is no file';
  throw codedError('MND_OUTPUT_FAILED', {
    subject: target,
    expected: 'a new file',
    found: there.isFile() ? 'one that exists' : kind,
    next: there.isFile() ? 'name another, or add --force' : 'name another',
  });
}

function makePrivate(part: string, target: string): void {
  try {
    closeSync(openSync(part, 'wx', 0o600));
  } catch (cause) {
    throw resultFailed(target, cause);
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
