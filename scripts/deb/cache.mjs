// Files that are fetched or built once and used by several scripts: below $XDG_CACHE_HOME/mobilenetd.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Node versions whose addons a package carries, by ABI (process.versions.modules), the newest last, and
 * the version whose headers the addon is compiled with. From 24.19 on the headers' node::ObjectWrap ends
 * the process when an object of better-sqlite3 12 is collected outside of JavaScript.
 */
export const NODES = [
  { version: '20.20.2', abi: 115, headers: '20.20.2' },
  { version: '22.23.3', abi: 127, headers: '22.23.3' },
  { version: '24.21.0', abi: 137, headers: '24.18.0' },
];
/** The Node that the Debian package brings along. */
export const CARRIED_NODE = NODES.at(-1).version;
/** What the npm packages of these Nodes must be: a registry that serves something else is refused. */
const INTEGRITY = {
  'x64-20.20.2':
    'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
  'arm64-20.20.2':
    'sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
  'x64-22.23.3':
    'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
  'arm64-22.23.3':
    'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
  'x64-24.21.0':
    'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  'x64-24.18.0':
    'sha512-K+N5i6l+NYUOlATC3bSZGTgmdDizdW/0f03nz23Vz7pmLeGwpcCVnpZkoFAIFUGFT0/8YrSBUxswo1wucXb0/w==',
  'arm64-24.21.0':
    'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
};

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
 * Unpacked npm package of a Node release: bin/node, LICENSE and include/node. Throws when it is not
 * the file that is pinned above.
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
    const sum = createHash('sha512')
      .update(readFileSync(join(work, tarball)))
      .digest('base64');
    const expected = INTEGRITY[`${arch}-${version}`];
    if (`sha512-${sum}` !== expected) {
      throw new Error(`${name}@${version}: expected ${expected}; found sha512-${sum}`);
    }
    execFileSync('tar', ['xzf', join(work, tarball), '-C', work, '--strip-components=1']);
    rmSync(join(work, tarball));
  });
}
