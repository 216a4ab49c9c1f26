import { spawn } from 'node:child_process';
import { access, constants, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codedError, isCodedError, messageOf } from '../../../errors.js';
import { type Clock, sleep, systemClock } from '../../../time.js';
import { runChild, type SpawnChild } from '../../child/process.js';
import { createPacer, type FrameRate } from '../../pacer.js';
import { readPicture } from '../../pixels/picture.js';
import { encodedPicture, type Source } from '../../source.js';
import { abandonedError, exitError } from '../ffmpeg/source.js';
import { type LibcameraPicture, type ProgramOption, pictureOptions } from './controls.js';
import { findProgram, programMissing } from './program.js';

export interface StillOptions extends LibcameraPicture {
  /** Milliseconds the exposure and the white balance get to settle; default 1000. */
  readonly settle?: number;
  /** JPEG quality, default 90. */
  readonly quality?: number;
  /** Where the program is looked for; default: the PATH. */
  readonly path?: string;
  /**
   * Folder for the picture while it is taken; default: one in memory if there is one (what a mask
   * will hide shall not reach a disk), else the system's for temporary files.
   */
  readonly temporary?: string;
  readonly clock?: Clock;
}

export interface StillSourceOptions extends StillOptions {
  /** Pictures a second, e.g. 0.1: between them the camera is off. */
  readonly fps: FrameRate;
}

const SUBJECT = 'libcamera still';
const MAIN = fileURLToPath(new URL('./still-main.js', import.meta.url));
/** On top of the time to settle, what a picture may take before the program is ended. */
const GRACE_MS = 20_000;
/** The names node-libcamera knows; where only the newer program exists it is found under this one. */
const EXPECTED_NAME = 'libcamera-still';
/** A file name goes through node-libcamera's shell: nothing in it may mean anything there. */
const HARMLESS_PATH = /^\/[A-Za-z0-9/._-]+$/;

/** Options for one picture, as node-libcamera gets them. Throws MND_CONFIG_INVALID. */
export function stillOptions(options: StillOptions, file: string): ProgramOption[] {
  const { settle = 1000, quality = 90 } = options;
  for (const [name, value, most] of [
    ['settle', settle, 60_000],
    ['quality', quality, 100],
  ] as const) {
    if (Number.isInteger(value) && value >= 1 && value <= most) continue;
    throw codedError('MND_CONFIG_INVALID', {
      subject: name,
      expected: `a whole number from 1 to ${most}`,
      found: JSON.stringify(value),
    });
  }
  if (!HARMLESS_PATH.test(file)) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: 'folder for temporary files',
      expected: 'an absolute path of letters, digits, ".", "_" and "-"',
      found: JSON.stringify(dirname(file)),
    });
  }
  return [
    ['output', file],
    ['encoding', 'jpg'],
    ['quality', String(quality)],
    ['timeout', String(settle)],
    ['nopreview', true],
    ['verbose', '0'],
    ...pictureOptions(options),
  ];
}

/**
 * Takes one picture (JPEG bytes) with libcamera's still program through node-libcamera. The camera
 * must not be streaming. Throws MND_CAMERA_… errors; MND_CAMERA_STOPPED after an abort.
 */
export async function takeStill(options: StillOptions, signal: AbortSignal): Promise<Uint8Array> {
  const program = await findProgram('still', options.path);
  if (program === null) throw programMissing('still');
  const folder = await mkdtemp(join(options.temporary ?? (await memoryFolder()), 'mobilenetd-'));
  try {
    const file = join(folder, 'picture.jpg');
    const args = stillOptions(options, file).map(([name, value]) =>
      value === true ? name : `${name}=${value}`,
    );
    if (basename(program) !== EXPECTED_NAME) await symlink(program, join(folder, EXPECTED_NAME));
    const search = [folder, dirname(program), process.env.PATH ?? ''].join(delimiter);
    // node-libcamera prints its command instead of running it where NODE_ENV is "test".
    const env = { ...process.env, PATH: search, NODE_ENV: 'production' };
    await runStill(options, args, env, signal);
    const { bytes } = await readPicture(file);
    if (bytes !== null) return bytes;
    throw codedError('MND_CAMERA_FAILED', {
      subject: SUBJECT,
      found: `${program} wrote no picture`,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The service's own folder below /run, or the system's shared memory. */
async function memoryFolder(): Promise<string> {
  const own = process.env.RUNTIME_DIRECTORY?.split(':')[0];
  for (const folder of [own, '/dev/shm']) {
    if (folder === undefined || !HARMLESS_PATH.test(folder)) continue;
    const usable = await access(folder, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return folder;
  }
  return tmpdir();
}

async function runStill(
  options: StillOptions,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<void> {
  const clock = options.clock ?? systemClock;
  const deadline = new AbortController();
  const cancel = clock.setTimer(() => deadline.abort(), (options.settle ?? 1000) + GRACE_MS);
  const exit = await runChild(
    {
      command: process.execPath,
      args: [MAIN, ...args],
      env,
      onStdout: () => {},
      spawn: spawnGroup,
      clock,
    },
    AbortSignal.any([signal, deadline.signal]),
  );
  cancel();
  if (exit.abandoned) throw abandonedError(SUBJECT, EXPECTED_NAME);
  if (signal.aborted) throw codedError('MND_CAMERA_STOPPED', { subject: SUBJECT });
  if (deadline.signal.aborted) {
    throw codedError('MND_CAMERA_STALLED', { subject: SUBJECT, expected: 'a picture in time' });
  }
  if (exit.code !== 0) throw exitError(SUBJECT, EXPECTED_NAME, exit);
}

/** Starts a process group of its own, and sends signals to all of it: the shell and the program, too. */
const spawnGroup: SpawnChild = (command, args, env) => {
  const child = spawn(command, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env,
  });
  child.kill = (killSignal = 'SIGTERM') => {
    if (child.pid === undefined) return false;
    try {
      return process.kill(-child.pid, killSignal);
    } catch {
      return false;
    }
  };
  // Whoever outlives the leader of the group would keep the camera.
  child.once('exit', () => child.kill('SIGKILL'));
  return child;
};

/**
 * A Raspberry Pi camera that is off between pictures: the coolest way to look, one picture every
 * 1 / fps seconds. Delivers `jpeg`. Throws MND_CONFIG_INVALID.
 */
export function createStillSource(options: StillSourceOptions): Source {
  // Checked now, not at the first picture.
  stillOptions(options, '/tmp/picture.jpg');
  const clock = options.clock ?? systemClock;
  return {
    async run(signal, onFrame) {
      const pacer = createPacer(clock, options.fps);
      try {
        while (!signal.aborted) {
          await pacer.next(signal);
          if (signal.aborted) break;
          const bytes = await takeStill(options, signal);
          await onFrame(encodedPicture(bytes));
          await sleep(clock, 0, signal);
        }
        return codedError('MND_CAMERA_STOPPED', { subject: SUBJECT });
      } catch (error) {
        if (isCodedError(error)) return error;
        return codedError('MND_CAMERA_FAILED', {
          subject: SUBJECT,
          found: messageOf(error),
          cause: error,
        });
      }
    },
  };
}
