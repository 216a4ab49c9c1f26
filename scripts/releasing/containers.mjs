// The container images of a release, as archives.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { debianVersion } from './packages.mjs';

/** Builds an OCI archive for each architecture that can be built here; says what was not. */
export async function buildContainers({ root, output, version, arches }) {
  const builder = join(root, 'scripts/build-container');
  if (!existsSync(builder) || spawnSync('buildah', ['--version']).error) {
    return 'SKIPPED: the container images (buildah is not installed: sudo apt install buildah)';
  }
  const told = [];
  for (const arch of arches) {
    const deb = join(output, `mobilenetd_${debianVersion(version)}_${arch}.deb`);
    const file = join(output, `mobilenetd-${version}-${arch}.oci.tar`);
    const done = spawnSync(builder, ['--deb', deb, '--output', file], { encoding: 'utf8' });
    told.push(done.status === 0 ? done.stdout.trim() : `SKIPPED: ${arch}: ${done.stderr.trim()}`);
  }
  return told.join('\n');
}
