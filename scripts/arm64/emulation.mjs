// Programs for arm64 on a PC: qemu's user emulation, Debian's C libraries, and Node from npm.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianImage } from '../container/container.mjs';
import { NODES, nodePackage } from '../deb/cache.mjs';

const LIBRARIES = {
  suite: 'bookworm',
  arch: 'arm64',
  packages: ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'],
  variant: 'extract',
};
const EMULATOR = 'qemu-aarch64-static';
/** What the emulated machine says it is. */
export const BOARD = 'Raspberry Pi 5 Model B Rev 1.0';

/** Why arm64 programs cannot run here; null when they can. */
export function whyNoArm64() {
  if (process.arch === 'arm64') return null;
  for (const tool of [EMULATOR, 'mmdebstrap']) {
    if (spawnSync(tool, ['--version']).error) return `${tool} is not installed`;
  }
  return null;
}

/** A Cortex-A76, as in a Pi 5; onnxruntime reads this to choose its kernels, and crashes without. */
const CPU = `BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1
`;

/**
 * What runs an arm64 program: a command to put before its arguments, and the environment it needs.
 * The emulator shows the files of its prefix in place of the machine's own.
 */
export async function arm64Node() {
  const node = join(await nodePackage('arm64', NODES[0].version), 'bin/node');
  if (process.arch === 'arm64') return { command: [process.execPath], env: {} };
  const image = await debianImage(LIBRARIES);
  const prefix = mkdtempSync(join(tmpdir(), 'mobilenetd-arm64-'));
  execFileSync('tar', ['xf', image, '-C', prefix, '--exclude=./dev/*']);
  mkdirSync(join(prefix, 'proc/device-tree'), { recursive: true });
  writeFileSync(join(prefix, 'proc/device-tree/model'), `${BOARD}\0`);
  const cpus = [0, 1, 2, 3].map((index) => `processor\t: ${index}\n${CPU}\n`);
  writeFileSync(join(prefix, 'proc/cpuinfo'), cpus.join(''));
  // The environment reaches children, which start without these arguments where the kernel knows how.
  return { command: [EMULATOR, node], env: { QEMU_LD_PREFIX: prefix }, prefix };
}
