import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { Config } from '#mobilenetd/config/config.js';
import { type LoadedConfig, loadConfig } from '#mobilenetd/config/load.js';
import { type ProgramEnd, runProgram, type Surroundings } from '#mobilenetd/doctor/surroundings.js';

export const SELF_TEST = [
  process.execPath,
  fileURLToPath(import.meta.resolve('#mobilenetd/doctor/self-test-child.js')),
] as const;

export interface BoardParts {
  readonly model?: string;
  /** Milli-degrees, as the file has them. */
  readonly temp?: string;
  /** Hexadecimal, as sysfs has it; null for none. */
  readonly throttled?: string | null;
  readonly osRelease?: string;
  readonly meminfo?: string;
  readonly mounts?: (folder: string) => string;
  /** eMMC's life_time. */
  readonly lifeTime?: string;
  readonly synchronised?: boolean;
}

const BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n';
const GROUPS = 'root:x:0:\nvideo:x:44:\nrender:x:106:\npi:x:1000:\n';

/** The files of a Raspberry Pi that the checks read, below one folder. */
export function fakeBoard(t: Test, parts: BoardParts = {}) {
  const { model = 'Raspberry Pi 4 Model B Rev 1.4', temp = '48199', throttled = '0' } = parts;
  const folder = t.testdir({
    state: {},
    run: parts.synchronised === false ? {} : { systemd: { timesync: { synchronized: '' } } },
    etc: { 'os-release': parts.osRelease ?? BOOKWORM, group: GROUPS },
    dev: { dma_heap: { 'linux,cma': '' } },
    proc: {
      'device-tree': { model: `${model}\0` },
      meminfo: parts.meminfo ?? 'MemTotal:        3884436 kB\nMemAvailable:    3200000 kB\n',
      self: {},
    },
    sys: {
      class: { thermal: { thermal_zone0: { type: 'cpu-thermal\n', temp: `${temp}\n` } } },
      block: {
        mmcblk0: { device: { name: 'SC32G\n', life_time: `${parts.lifeTime ?? ''}\n` } },
      },
      devices: {
        platform: {
          soc: { 'soc:firmware': throttled === null ? {} : { get_throttled: `${throttled}\n` } },
        },
      },
    },
  });
  t.equal(typeof folder, 'string');
  const mounts =
    parts.mounts?.(folder) ?? `26 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw`;
  return { folder, mounts };
}

const ENDED: ProgramEnd = { status: 0, signal: null, stdout: '', stderr: '', error: null };
const MISSING: ProgramEnd = { ...ENDED, status: null, error: 'ENOENT' };

/** Surroundings in a fake board's folder; programs are missing unless `programs` has an answer. */
export function surroundingsOf(
  folder: string,
  more: Partial<Surroundings> = {},
  programs: Readonly<Record<string, Partial<ProgramEnd>>> = {},
): Surroundings {
  return {
    sys: `${folder}/sys`,
    proc: `${folder}/proc`,
    dev: `${folder}/dev`,
    etc: `${folder}/etc`,
    run: `${folder}/run`,
    boot: `${folder}/boot`,
    programPath: `${folder}/usr/bin:${folder}/usr/sbin:${folder}/usr/lib/systemd`,
    platform: { platform: 'linux', arch: 'arm64', machine: 'aarch64' },
    nodeVersion: 'v20.19.2',
    uid: 1000,
    groups: [1000, 44, 106],
    env: {},
    now: () => Date.parse('2026-05-01T12:00:00Z'),
    selfTest: SELF_TEST,
    probeBroker: async () => ({ ok: true, ms: 3, limits: [] }),
    tryListen: async () => null,
    async runProgram(file, args, timeout) {
      if (file === process.execPath) return runProgram(file, args, timeout);
      const answer = programs[file];
      return answer === undefined ? MISSING : { ...ENDED, ...answer };
    },
    ...more,
  };
}

/** A configuration in the fake board's state folder. */
export function configFor(folder: string, env: NodeJS.ProcessEnv = {}): Config {
  return loadedFor(folder, env).config;
}

export function loadedFor(folder: string, env: NodeJS.ProcessEnv = {}): LoadedConfig {
  return loadConfig({
    env: {
      MOBILENETD_STATE: `${folder}/state`,
      MOBILENETD_NODE: 'board',
      MOBILENETD_CAMERAS: '{"front":{"source":"libcamera"}}',
      ...env,
    },
    systemFile: '/nonexistent/config.yaml',
    boardModel: null,
  });
}
