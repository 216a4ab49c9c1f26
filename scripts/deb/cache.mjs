// Files that are fetched or built once and used by several scripts: below $XDG_CACHE_HOME/mobilenetd.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Node versions whose addons a package carries, by ABI (process.versions.modules). */
export const NODES = [
  { version: '20.20.2', abi: 115 },
  { version: '22.23.3', abi: 127 },
  { version: '24.21.0', abi: 137 },
];

export function cacheFolder() {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mobilenetd');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Makes a folder of the cache once: `fill` works in a temporary one, so a half-made one is never used. */
export async function cached(name, fill) {
  const target = join(cacheFolder(), name);
  if (existsSync(target)) return target;
  const work = mkdtempSync(join(cacheFolder(), '.new-'));
  try {
    await fill(work);
    mkdirSync(join(target, '..'), { recursive: true });
    // Somebody else may have been faster.
    if (!existsSync(target)) renameSync(work, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target;
}

/**
 * Unpacked npm package of a Node release: bin/node and include/node. npm checks its integrity.
 *
 * @param arch x64 or arm64
 */
export function nodePackage(arch, version) {
  const name = `node-linux-${arch}`;
  return cached(`node/${arch}-${version}`, (work) => {
    const options = ['--silent', '--ignore-scripts', '--pack-destination', work];
    const [tarball] = execFileSync('npm', ['pack', `${name}@${version}`, ...options], {
      encoding: 'utf8',
      cwd: work,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split('\n')
      .slice(-1);
    execFileSync('tar', ['xzf', join(work, tarball), '-C', work, '--strip-components=1']);
    rmSync(join(work, tarball));
  });
}
