// The container images of a release, as archives.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { debianVersion } from './packages.mjs';

/** What build-container ends with when a program is not installed. */
const LACKS_PROGRAM = 69;

/**
 * Builds both images as archives for each architecture that can be built here; says what was not.
 *
 * @throws when building fails for another reason than a program that is not installed
 */
export async function buildContainers({ root, output, version, arches }) {
  const builder = join(root, 'scripts/build-container');
  const told = [];
  for (const arch of arches) {
    const deb = join(output, `mobilenetd_${debianVersion(version)}_${arch}.deb`);
    const [image, addon] = ['', '-addon'].map((kind) =>
      join(output, `mobilenetd${kind}-${version}-${arch}.docker.tar`),
    );
    const words = ['--deb', deb, '--output', image, '--addon', addon];
    const done = spawnSync(builder, words, { encoding: 'utf8' });
    if (done.status === 0) told.push(done.stdout.trim());
    else if (done.status === LACKS_PROGRAM) {
      told.push(`SKIPPED: the container images of ${arch}: ${done.stderr.trim()}`);
    } else
      throw new Error(
        `the container images of ${arch} (--no-container leaves them out):\n${done.stderr}`,
      );
  }
  return told.join('\n');
}
