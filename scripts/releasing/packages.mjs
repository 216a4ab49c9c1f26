// The packages of a release, built from what is committed.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Clones the commit of `root` into the folder `work` and builds the Debian packages and npm's tarball
 * there, into `output`. Returns their names.
 */
export async function buildPackages({
  root,
  output,
  work,
  epoch,
  arches,
  version,
  fast,
  env = {},
}) {
  mkdirSync(join(work, '..'), { recursive: true });
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, work]);
  symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'));
  const options = {
    cwd: work,
    env: { ...process.env, ...env, SOURCE_DATE_EPOCH: epoch },
    stdio: ['ignore', 'ignore', 'inherit'],
  };
  execFileSync('npm', ['run', '--silent', 'build'], options);
  const names = [];
  for (const arch of arches) {
    const deb = ['--arch', arch, '--version', debianVersion(version), '--output', output];
    if (fast) deb.push('--fast');
    execFileSync('scripts/build-deb', [...deb, '--no-build'], options);
    names.push(`mobilenetd_${debianVersion(version)}_${arch}.deb`);
  }
  execFileSync('npm', ['pack', '--silent', '--pack-destination', output], options);
  rmSync(work, { recursive: true, force: true });
  return [...names, `mobilenetd-${version}.tgz`];
}

/** Debian sorts a pre-release before its release by a tilde. */
export function debianVersion(version) {
  return `${version.replace('-', '~')}-1`;
}

/** Names the first package that is not the same in both folders, and what in it; null when all are. */
export function whatDiffers(one, two, names) {
  for (const name of names) {
    const files = [join(one, name), join(two, name)];
    const [first, second] = files.map((file) => readFileSync(file));
    if (first.equals(second)) continue;
    const trees = files.map(unpack);
    const { stdout } = spawnSync('diff', ['-rq', ...trees], { encoding: 'utf8' });
    for (const tree of trees) rmSync(tree, { recursive: true });
    const inside = stdout.trim().split('\n').slice(0, 20).join('\n');
    return `${name}\n${inside || 'in order, modes or times, not in contents'}`;
  }
  return null;
}

function unpack(file) {
  const tree = mkdtempSync(join(tmpdir(), 'mobilenetd-differs-'));
  if (file.endsWith('.deb')) execFileSync('dpkg-deb', ['-R', file, join(tree, 'deb')]);
  else execFileSync('tar', ['xf', file, '-C', tree]);
  return tree;
}
