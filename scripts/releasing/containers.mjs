// The container images of a release, as archives.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { debianVersion } from './packages.mjs';

/** Builds both images as archives for each architecture that can be built here; says what was not. */
export async function buildContainers({ root, output, version, arches }) {
  const builder = join(root, 'scripts/build-container');
  if (!existsSync(builder) || spawnSync('buildah', ['--version']).error) {
    return 'SKIPPED: the container images (buildah is not installed: sudo apt install buildah)';
  }
  const told = [];
  for (const arch of arches) {
    const deb = join(output, `mobilenetd_${debianVersion(version)}_${arch}.deb`);
    const [image, addon] = ['', '-addon'].map((kind) =>
      join(output, `mobilenetd${kind}-${version}-${arch}.docker.tar`),
    );
    const words = ['--deb', deb, '--output', image, '--addon', addon];
    const done = spawnSync(builder, words, { encoding: 'utf8' });
    told.push(done.status === 0 ? done.stdout.trim() : `SKIPPED: ${arch}: ${done.stderr.trim()}`);
  }
  return told.join('\n');
}
