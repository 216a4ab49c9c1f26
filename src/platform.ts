import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { machine } from 'node:os';
import { join } from 'node:path';
import { type CodedError, codedError } from './errors.js';
import { readSmallText } from './small-file.js';

const MAX_TEXT_BYTES = 4096;

/** What this process runs on, as Node names it. */
export interface Platform {
  /** `process.platform` */
  readonly platform: string;
  /** `process.arch`: what Node was built for. */
  readonly arch: string;
  /** `os.machine()`: what the kernel is. */
  readonly machine: string;
}

/** What onnxruntime-node has binaries for. */
const ARCHITECTURES = new Set(['x64', 'arm64']);
const PLATFORMS = new Set(['linux', 'darwin']);
const KERNELS_64 = new Set(['aarch64', 'arm64', 'x86_64']);
const IMAGE =
  'install the 64-bit image of Raspberry Pi OS (Pi 3 and later, Zero 2 W); no 32-bit system can run the network';

/** The platform of this process. */
export function thisPlatform(): Platform {
  return { platform: process.platform, arch: process.arch, machine: machine() };
}

/**
 * The board's name by its device tree (`<procRoot>/device-tree/model`), e.g. `Raspberry Pi 4 Model B
 * Rev 1.4`; null where there is none.
 */
export function readBoardModel(procRoot = '/proc'): string | null {
  try {
    const text = readSmallText(join(procRoot, 'device-tree/model'), MAX_TEXT_BYTES);
    return text.replaceAll('\0', '').trim() || null;
  } catch {
    return null;
  }
}

/**
 * What tells the daemon of a state folder from all others, after a new name as well: the machine's id
 * (machine-id(5)) and the folder. Chance where the machine has no id, as in some containers: whoever
 * uses it is to remember what it was made into.
 */
export function machineIdentity(stateDir: string, etc = '/etc'): string {
  try {
    const id = readSmallText(join(etc, 'machine-id'), MAX_TEXT_BYTES).trim();
    if (/^[0-9a-f]{32}$/.test(id)) return `${id} ${realpathSync(stateDir)}`;
  } catch {
    // There is none, or the folder is yet to be made.
  }
  return randomUUID();
}

/**
 * Why the network cannot run here: onnxruntime has no binaries for this system, and loading it would
 * only say that a file is missing. Null where it can.
 */
export function unsupportedPlatform(here: Platform): CodedError | null {
  const { platform, arch } = here;
  if (PLATFORMS.has(platform) && ARCHITECTURES.has(arch)) return null;
  const kernel64 = KERNELS_64.has(here.machine);
  // Raspberry Pi OS (32-bit) boots a 64-bit kernel on boards that can: uname says aarch64.
  const mixed = kernel64 && !ARCHITECTURES.has(arch);
  return codedError('MND_PLATFORM', {
    expected: '64-bit Linux on arm64 or x64',
    found: mixed
      ? `a 64-bit kernel (${here.machine}) with 32-bit programs (Node for ${arch})`
      : `${platform} on ${here.machine}, Node for ${arch}`,
    next: mixed ? `${IMAGE}; the kernel alone is not enough` : IMAGE,
  });
}
