// Control files of the package.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { NODE } from './node.mjs';
import { filesBelow, installedKilobytes, isElf, MAINTAINER } from './stage.mjs';

/** Packages of the shared libraries that addons may need; another one is an error. */
const LIBRARIES = {
  'libc.so.6': 'libc6',
  'libm.so.6': 'libc6',
  'libdl.so.2': 'libc6',
  'librt.so.1': 'libc6',
  'libpthread.so.0': 'libc6',
  'libresolv.so.2': 'libc6',
  'ld-linux-aarch64.so.1': 'libc6',
  'ld-linux-x86-64.so.2': 'libc6',
  'libstdc++.so.6': 'libstdc++6',
  'libgcc_s.so.1': 'libgcc-s1',
  'libatomic.so.1': 'libatomic1',
};

/** Dependencies of the addons: from what they link to, and the newest glibc symbol they use. */
function libraryDependencies(tree) {
  const own = new Set();
  const needed = new Map();
  let glibc = [2, 0];
  const binaries = filesBelow(tree).filter((file) => isElf(file) || file.endsWith(NODE));
  for (const file of binaries) own.add(file.split('/').at(-1));
  for (const file of binaries) {
    const dump = execFileSync('readelf', ['-dVW', file], { encoding: 'utf8' });
    for (const [, name] of dump.matchAll(/\(NEEDED\).*\[(.*)\]/g)) needed.set(name, file);
    for (const [, major, minor] of dump.matchAll(/Name: GLIBC_(\d+)\.(\d+)/g)) {
      const version = [Number(major), Number(minor)];
      if (version[0] > glibc[0] || (version[0] === glibc[0] && version[1] > glibc[1]))
        glibc = version;
    }
  }
  const packages = new Set();
  for (const [name, file] of needed) {
    if (own.has(name)) continue;
    if (LIBRARIES[name] === undefined)
      throw new Error(`${file} needs ${name}, of no known package`);
    packages.add(LIBRARIES[name]);
  }
  packages.delete('libc6');
  return [`libc6 (>= ${glibc.join('.')})`, ...[...packages].sort()];
}

const DESCRIPTION = `labels from cameras by a heat-aware MobileNet
 mobilenetd takes camera frames, runs a quantized MobileNet on the CPU, keeps
 what it saw in SQLite and publishes labels over MQTT. A thermal governor trades
 accuracy for heat: it moves the width and the resolution of the network while
 it runs, so that a hot board gets a smaller network instead of a throttled
 clock.`;

/** Writes DEBIAN/ into the tree. Returns the installed size in kB. */
export function writeControl({ root, tree, target, debVersion }) {
  const size = installedKilobytes(tree);
  const control = [
    'Package: mobilenetd',
    `Version: ${debVersion}`,
    `Architecture: ${target.deb}`,
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${size}`,
    `Depends: ${[
      'systemd',
      // kill(1), for systemctl reload.
      'procps',
      'init-system-helpers (>= 1.52)',
      ...libraryDependencies(tree),
    ].join(', ')}`,
    'Recommends: ca-certificates',
    'Suggests: rpicam-apps | rpicam-apps-lite, ffmpeg, mosquitto',
    'Section: video',
    'Priority: optional',
    `Description: ${DESCRIPTION}`,
    '',
  ].join('\n');
  const folder = join(tree, 'DEBIAN');
  const sums = filesBelow(tree).map((file) => {
    const sum = createHash('md5').update(readFileSync(file)).digest('hex');
    return `${sum}  ${relative(tree, file)}\n`;
  });
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(join(folder, 'control'), control);
  writeFileSync(join(folder, 'md5sums'), sums.join(''));
  cpSync(join(root, 'packaging/deb/triggers'), join(folder, 'triggers'));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    cpSync(join(root, 'packaging/deb', script), join(folder, script));
    chmodSync(join(folder, script), 0o755);
  }
  return size;
}
