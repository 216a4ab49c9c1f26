import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { BrokerProbe } from '../mqtt/connection/probe.js';
import { type Platform, thisPlatform } from '../platform.js';
import { readSmallText } from '../small-file.js';
import { systemClock } from '../time.js';

const MAX_TEXT_BYTES = 1024 * 1024;

/** How a program ended. */
export interface ProgramEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** `ENOENT` when there is no such program, `ETIMEDOUT` when it was ended. */
  readonly error: string | null;
}

export type RunProgram = (
  file: string,
  args: readonly string[],
  timeoutMs: number,
) => Promise<ProgramEnd>;

/** Everything of the machine that the checks look at, so that tests can bring their own. */
export interface Surroundings {
  readonly sys: string;
  readonly proc: string;
  readonly dev: string;
  readonly etc: string;
  readonly run: string;
  /** Where the boot partition is mounted, or the folder above that. */
  readonly boot: string;
  /** Folders of programs, those that a service would start among them, with colons between them. */
  readonly programPath: string;
  readonly platform: Platform;
  /** E.g. `v20.9.0`. */
  readonly nodeVersion: string;
  readonly uid: number;
  /** Ids of the groups this process has. */
  readonly groups: readonly number[];
  readonly env: NodeJS.ProcessEnv;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: () => number;
  readonly runProgram: RunProgram;
  readonly probeBroker: BrokerProbe;
  /** Whether a server can listen on an address: null, or the errno code. */
  readonly tryListen: (host: string, port: number) => Promise<string | null>;
  /** Command that loads and runs the network runtime; a child dies in our place. */
  readonly selfTest: readonly string[];
}

/** What a check is given. */
export interface CheckInput {
  readonly around: Surroundings;
  /** Null while it cannot be read. */
  readonly config: Config | null;
}

/** What is no part of an ordinary user's PATH. */
const SYSTEM_PROGRAMS = '/usr/bin:/usr/sbin:/usr/lib/systemd';

/** The machine this process runs on. */
export function realSurroundings(
  options: Pick<Surroundings, 'env' | 'selfTest' | 'probeBroker' | 'tryListen'>,
): Surroundings {
  return {
    sys: '/sys',
    proc: '/proc',
    dev: '/dev',
    etc: '/etc',
    run: '/run',
    boot: '/boot',
    programPath: `${options.env.PATH ?? ''}:${SYSTEM_PROGRAMS}`,
    platform: thisPlatform(),
    nodeVersion: process.version,
    uid: process.getuid?.() ?? -1,
    groups: process.getgroups?.() ?? [],
    now: systemClock.wall,
    runProgram,
    ...options,
  };
}

const MAX_OUTPUT = 1024 * 1024;

export const runProgram: RunProgram = (file, args, timeoutMs) =>
  new Promise((resolve) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT } as const;
    const child = execFile(file, [...args], options, (error, stdout, stderr) => {
      const code = error?.code;
      resolve({
        status: child.exitCode,
        signal: child.signalCode,
        stdout,
        stderr,
        error: error?.killed ? 'ETIMEDOUT' : typeof code === 'string' ? code : null,
      });
    });
  });

/** The text of a small file, trimmed and without NULs; empty when it cannot be read. */
export async function readText(...path: readonly string[]): Promise<string> {
  let text = '';
  try {
    text = readSmallText(join(...path), MAX_TEXT_BYTES);
  } catch {
    // Nothing to be read, or nothing small.
  }
  return text.replaceAll('\0', '').trim();
}

export function canUse(path: string, mode = constants.R_OK | constants.W_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
