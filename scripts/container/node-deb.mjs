// Debian 12 has Node 18. Users take Node 20 or newer from NodeSource or Debian 13; where tests have
// neither, the same binaries from npm become a package named nodejs.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { architecture } from '../deb/architecture.mjs';
import { cached, nodePackage } from '../deb/cache.mjs';

/** A nodejs package for Debian's `arch`; returns its file. */
export async function nodeDeb(arch, version) {
  const source = await nodePackage(architecture(arch).node, version);
  const folder = await cached(`nodejs-deb/${version}-${arch}`, (work) => {
    const tree = join(work, 'tree');
    mkdirSync(join(tree, 'usr/bin'), { recursive: true });
    cpSync(join(source, 'bin/node'), join(tree, 'usr/bin/node'));
    mkdirSync(join(tree, 'DEBIAN'));
    writeFileSync(
      join(tree, 'DEBIAN/control'),
      `Package: nodejs\nVersion: ${version}-0npm\nArchitecture: ${arch}\n` +
        'Maintainer: nobody <nobody@localhost.localdomain>\n' +
        'Depends: libc6 (>= 2.28), libstdc++6 (>= 9), libgcc-s1\nDescription: Node from npm\n',
    );
    const file = join(work, 'nodejs.deb');
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z1', '--build', tree, file], {
      stdio: 'ignore',
    });
    execFileSync('rm', ['-r', tree]);
  });
  return join(folder, 'nodejs.deb');
}
