// Programs of arm64 on a PC, by qemu's user emulation.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Opened by the kernel when an arm64 program is started. */
export const EMULATOR = 'qemu-aarch64-static';

/**
 * Lets this machine's kernel run arm64 programs, unless it already does.
 *
 * @returns what takes that back
 */
export function registerEmulator() {
  const folder = '/proc/sys/fs/binfmt_misc';
  const mounted = existsSync(join(folder, 'register'));
  if (!mounted) execFileSync('mount', ['-t', 'binfmt_misc', 'binfmt_misc', folder]);
  const unmount = () => mounted || execFileSync('umount', [folder]);
  const entry = join(folder, 'qemu-aarch64');
  if (existsSync(entry)) return unmount;
  const emulator = execFileSync('which', [EMULATOR], { encoding: 'utf8' }).trim();
  // An ELF file, 64 bits, little endian, executable or shared, of machine 0xb7 (arm64).
  const magic = '\\x7fELF\\x02\\x01\\x01\\0\\0\\0\\0\\0\\0\\0\\0\\0\\x02\\0\\xb7\\0'.replaceAll(
    '\\0',
    '\\x00',
  );
  const mask = `${'\\xff'.repeat(7)}\\x00${'\\xff'.repeat(8)}\\xfe${'\\xff'.repeat(3)}`;
  // F: the emulator is opened now, so that it is there in any root.
  writeFileSync(join(folder, 'register'), `:qemu-aarch64:M::${magic}:${mask}:${emulator}:F`);
  return () => {
    writeFileSync(entry, '-1');
    unmount();
  };
}
