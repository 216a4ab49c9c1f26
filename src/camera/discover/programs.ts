import { access, constants, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.js';
import { type Clock, systemClock } from '../../time.js';
import { runChild, type SpawnChild } from '../child/process.js';
import { findProgram } from '../sources/libcamera/program.js';
import type { CameraFinding } from './finding.js';

/** A camera as `rpicam-hello --list-cameras` names it. */
export interface ListedCamera {
  /** For `controls: { camera: … }`. */
  readonly index: number;
  readonly sensor: string;
  /** E.g. `4608x2592 10-bit RGGB`; empty when it is not told. */
  readonly mode: string;
}

export interface LibcameraSurroundings {
  /** Where the programs are looked for; default: the PATH. */
  readonly path?: string;
  readonly spawn?: SpawnChild;
  readonly clock?: Clock;
}

const LIST_DEADLINE_MS = 15_000;
const MAX_OUTPUT = 64 * 1024;
export const SUBJECT = 'libcamera';
const INSTALL = 'on Raspberry Pi OS: sudo apt install rpicam-apps-lite';

/**
 * Reads the list of cameras, one a line: `0 : imx708 [4608x2592 10-bit RGGB] (/base/…/imx708@1a)`.
 * Modes and whatever else is printed are passed over.
 */
export function parseCameraList(output: string): ListedCamera[] {
  return output.split('\n').flatMap((line) => {
    const match = /^\s*(\d{1,2})\s*:\s*([\w.-]+)\s*(?:\[([^\]]*)\])?\s*(?:\(|$)/.exec(line);
    const [, index, sensor, mode = ''] = match ?? [];
    return index === undefined || sensor === undefined
      ? []
      : [{ index: Number(index), sensor, mode }];
  });
}

/** Asks rpicam-hello, or libcamera-hello, which cameras there are. */
export async function findLibcamera(
  surroundings: LibcameraSurroundings,
  wanted: boolean,
  signal: AbortSignal,
): Promise<{ findings: CameraFinding[]; cameras: ListedCamera[] }> {
  const program = await findProgram('hello', surroundings.path);
  if (program === null) {
    const finding: CameraFinding = {
      subject: SUBJECT,
      level: wanted ? 'fail' : 'info',
      found: 'neither rpicam-hello nor libcamera-hello is on the PATH',
      next: wanted ? INSTALL : `for a camera on the ribbon cable, ${INSTALL}`,
    };
    return { findings: [finding], cameras: [] };
  }
  const { output, fault } = await list(program, surroundings, signal);
  const cameras = parseCameraList(output);
  if (cameras.length === 0) {
    const finding: CameraFinding = {
      subject: SUBJECT,
      level: wanted ? 'fail' : 'info',
      found: fault ?? 'no camera is detected',
      next: 'with the power off, check both ends of the ribbon cable; a third-party sensor needs its dtoverlay in /boot/firmware/config.txt',
    };
    return { findings: [finding], cameras };
  }
  const findings = cameras.map(
    ({ index, sensor, mode }): CameraFinding => ({
      subject: SUBJECT,
      level: 'ok',
      found: `camera ${index} is a ${sensor}${mode === '' ? '' : `, ${mode}`}`,
      next: wanted ? null : `to use it: { source: libcamera, controls: { camera: ${index} } }`,
    }),
  );
  return { findings, cameras };
}

async function list(
  program: string,
  { spawn, clock = systemClock }: LibcameraSurroundings,
  signal: AbortSignal,
): Promise<{ output: string; fault: string | null }> {
  const deadline = new AbortController();
  const cancel = clock.setTimer(() => deadline.abort(), LIST_DEADLINE_MS);
  let output = '';
  const decoder = new TextDecoder();
  const exit = await runChild(
    {
      command: program,
      args: ['--list-cameras'],
      onStdout: (chunk) => {
        output = (output + decoder.decode(chunk, { stream: true })).slice(0, MAX_OUTPUT);
      },
      spawn,
      clock,
    },
    AbortSignal.any([signal, deadline.signal]),
  );
  cancel();
  // Older versions list on stderr.
  const all = `${output}\n${exit.stderr}`;
  if (deadline.signal.aborted) {
    return { output: all, fault: `${program} did not answer within ${LIST_DEADLINE_MS / 1000} s` };
  }
  if (exit.startError !== null) return { output: all, fault: messageOf(exit.startError) };
  if (exit.code === 0 || /no cameras available/i.test(all)) return { output: all, fault: null };
  const lastLine = exit.stderr.split('\n').at(-1) ?? '';
  return { output: all, fault: `${program} ended with status ${exit.code}: ${lastLine}` };
}

/** Whether this user may read and write a file. */
export type MayUse = (path: string) => Promise<boolean>;

export const mayUse: MayUse = (path) =>
  access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );

/** libcamera takes its memory from `dma_heap` and finds the sensor through `media*`. */
export async function checkLibcameraDevices(
  devRoot: string,
  may: MayUse,
): Promise<CameraFinding[]> {
  const heaps = await namesIn(join(devRoot, 'dma_heap'), /./);
  const media = await namesIn(devRoot, /^media\d+$/);
  const paths = [...heaps.map((name) => join('dma_heap', name)), ...media];
  if (heaps.length === 0) {
    return [
      {
        subject: '/dev/dma_heap',
        level: 'warn',
        found: 'there is none, and libcamera takes its memory from it',
        next: 'use a current Raspberry Pi OS kernel; in a container, pass /dev/dma_heap in',
      },
    ];
  }
  const denied: string[] = [];
  for (const path of paths) if (!(await may(join(devRoot, path)))) denied.push(`/dev/${path}`);
  if (denied.length === 0) {
    const found = `${paths.map((path) => `/dev/${path}`).join(', ')} can be used`;
    return [{ subject: '/dev/dma_heap', level: 'ok', found, next: null }];
  }
  return [
    {
      subject: '/dev/dma_heap',
      level: 'fail',
      found: `this user may not use ${denied.join(', ')}`,
      next: GROUP_ADVICE,
    },
  ];
}

export const GROUP_ADVICE =
  'put the user into the group video: sudo usermod -aG video USER, then log in anew (the service of the package has it already)';

/** Names of a folder that match, in natural order; none where the folder cannot be read. */
export async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const byNumber = new Intl.Collator('en', { numeric: true });
  return names.filter((name) => pattern.test(name)).sort(byNumber.compare);
}
