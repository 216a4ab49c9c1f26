// The packages of a release, built from what is committed.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
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

/** Names the first file that is not the same in both folders, and where; null when all are. */
export function whatDiffers(one, two, names) {
  for (const name of names) {
    const [first, second] = [one, two].map((folder) => readFileSync(join(folder, name)));
    if (first.equals(second)) continue;
    const shown = spawnSync('diffoscope', ['--text', '-', join(one, name), join(two, name)], {
      encoding: 'utf8',
    });
    const at = first.findIndex((byte, index) => byte !== second[index]);
    return `${name} at byte ${at} (${first.length} and ${second.length} bytes)\n${shown.stdout ?? ''}`;
  }
  return null;
}
