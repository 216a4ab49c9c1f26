// A bootable Debian for arm64: a disk, its kernel and its initial ram disk, made once.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { registerEmulator } from '../container/emulator.mjs';
import { cached } from '../deb/cache.mjs';
import { runToEnd } from './process.mjs';

const SUITE = 'trixie';
const PACKAGES = [
  ...['linux-image-arm64', 'systemd-sysv', 'udev', 'kmod', 'procps'],
  ...['nodejs', 'ffmpeg', 'mosquitto', 'mosquitto-clients'],
];
/** Options of dpkg: the disk is thrown away if writing it is cut short, and nobody reads there. */
const DPKG = [
  'force-unsafe-io',
  'force-confold',
  ...['doc', 'man', 'locale'].map((folder) => `path-exclude=/usr/share/${folder}/*`),
];
/** The initial ram disk is made once, with what is needed to reach the disk: emulated, it takes minutes. */
const INITRAMFS = {
  'etc/initramfs-tools/conf.d/vm': 'MODULES=list\n',
  'etc/initramfs-tools/update-initramfs.conf': 'update_initramfs=no\nbackup_initramfs=no\n',
  'usr/share/initramfs-tools/modules.d/vm': 'virtio_pci\nvirtio_blk\next4\n',
};
const DISK_SIZE = '4G';
/** Mounts the second disk and runs what is on it; the results go to a port of their own. */
const UNIT = `[Unit]
Description=what the second disk says
After=multi-user.target
[Service]
Environment=HOME=/root
ExecStart=/bin/sh -c 'mount -o ro /dev/vdb /mnt && exec sh /mnt/inside.sh'
`;

/**
 * Files of the system; the first call takes minutes, as Debian's scripts run emulated. Needs root.
 *
 * @param limitMs for making it
 * @param say told when it has to be made
 * @returns paths of disk (ext4, raw), kernel and initrd
 */
export async function vmImage(limitMs, say) {
  const recipe = JSON.stringify([SUITE, PACKAGES, DPKG, INITRAMFS, DISK_SIZE, UNIT]);
  const hash = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  const folder = await cached(`vm/${SUITE}-arm64-${hash}`, (work) => {
    say('the system is being made, this once; it takes minutes');
    return makeImage(work, limitMs);
  });
  const [disk, kernel, initrd] = ['disk.img', 'vmlinuz', 'initrd.img'].map((name) =>
    join(folder, name),
  );
  return { disk, kernel, initrd };
}

async function makeImage(work, limitMs) {
  const tree = join(work, 'tree');
  const settings = join(work, 'settings');
  for (const [name, text] of Object.entries(INITRAMFS)) {
    const file = join(settings, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const unregister = registerEmulator();
  try {
    // In namespaces of its own: what it mounts is never seen by who removes the tree, and nothing it
    // starts outlives it.
    const namespaces = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child'];
    const mmdebstrap = [
      ...['mmdebstrap', '--quiet', '--variant=apt', '--architectures=arm64'],
      `--include=${PACKAGES.join(',')}`,
      ...DPKG.map((option) => `--dpkgopt=${option}`),
      `--essential-hook=cp -r ${settings}/. "$1"`,
      ...[SUITE, tree],
    ];
    await runToEnd('unshare', [...namespaces, '--mount-proc', ...mmdebstrap], { limitMs });
  } finally {
    unregister();
  }
  settle(tree);
  const boot = join(tree, 'boot');
  for (const [prefix, name] of [
    ['vmlinuz-', 'vmlinuz'],
    ['initrd.img-', 'initrd.img'],
  ]) {
    const file = readdirSync(boot).find((entry) => entry.startsWith(prefix));
    copyFileSync(join(boot, file), join(work, name));
  }
  await runToEnd('mke2fs', ['-q', '-t', 'ext4', '-d', tree, join(work, 'disk.img'), DISK_SIZE]);
  for (const folder of [tree, settings]) rmSync(folder, { recursive: true });
}

/** What a system needs to know about itself, and the unit that runs the second disk. */
function settle(tree) {
  writeFileSync(join(tree, 'etc/fstab'), '/dev/vda / ext4 defaults 0 1\n');
  writeFileSync(join(tree, 'etc/hostname'), 'vm\n');
  writeFileSync(join(tree, 'etc/hosts'), '127.0.0.1 localhost vm\n');
  writeFileSync(join(tree, 'etc/systemd/system/inside.service'), UNIT);
  const wants = join(tree, 'etc/systemd/system/multi-user.target.wants');
  mkdirSync(wants, { recursive: true });
  symlinkSync('../inside.service', join(wants, 'inside.service'));
}
