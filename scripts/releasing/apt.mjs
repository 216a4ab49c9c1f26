// A repository that apt reads from any static host.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const SUITE = 'stable';
const COMPONENT = 'main';
const ARCHES = ['amd64', 'arm64'];

/**
 * Adds packages to the repository in `folder`, which may have older ones, and writes its indexes anew.
 * With `key` (as gpg knows it) it is signed. Returns what was done, for people.
 */
export function addToRepository({ folder, debs, epoch, key }) {
  if (spawnSync('apt-ftparchive', ['--version']).error) {
    return 'SKIPPED: the apt repository (apt-ftparchive is not installed: sudo apt install apt-utils)';
  }
  const pool = join('pool', COMPONENT, 'm', 'mobilenetd');
  mkdirSync(join(folder, pool), { recursive: true });
  for (const deb of debs) cpSync(deb, join(folder, pool, basename(deb)));
  const suite = join(folder, 'dists', SUITE);
  rmSync(suite, { recursive: true, force: true });
  const ftparchive = (...args) =>
    execFileSync('apt-ftparchive', args, {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1e9,
      env: { ...process.env, SOURCE_DATE_EPOCH: epoch },
    });
  for (const arch of ARCHES) {
    const binary = join(suite, COMPONENT, `binary-${arch}`);
    mkdirSync(binary, { recursive: true });
    const packages = ftparchive('--arch', arch, 'packages', pool);
    writeFileSync(join(binary, 'Packages'), packages);
    writeFileSync(join(binary, 'Packages.gz'), gzipSync(packages, { level: 9 }));
  }
  const fields = {
    Origin: 'mobilenetd',
    Label: 'mobilenetd',
    Suite: SUITE,
    Codename: SUITE,
    Architectures: ARCHES.join(' '),
    Components: COMPONENT,
    Description: 'mobilenetd for Debian and Raspberry Pi OS',
  };
  const options = Object.entries(fields).flatMap(([name, value]) => [
    '-o',
    `APT::FTPArchive::Release::${name}=${value}`,
  ]);
  // Written into the folder only afterwards: it must not list itself.
  const release = ftparchive(...options, 'release', join('dists', SUITE));
  writeFileSync(join(suite, 'Release'), release);
  const count = readdirSync(join(folder, pool)).length;
  const signed = key === null ? 'not signed (--sign KEY)' : sign(folder, suite, key);
  return `apt repository with ${count} packages in ${folder}, ${signed}`;
}

function sign(folder, suite, key) {
  const gpg = (...args) =>
    execFileSync('gpg', ['--batch', '--yes', '--local-user', key, ...args], { stdio: 'inherit' });
  const release = join(suite, 'Release');
  gpg('--clearsign', '--output', join(suite, 'InRelease'), release);
  gpg('--armor', '--detach-sign', '--output', join(suite, 'Release.gpg'), release);
  const keyring = join(folder, 'mobilenetd.asc');
  execFileSync('gpg', ['--batch', '--yes', '--armor', '--output', keyring, '--export', key]);
  return `signed by ${key}; its public key is mobilenetd.asc`;
}
