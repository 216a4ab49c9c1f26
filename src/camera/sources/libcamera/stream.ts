import { codedError, messageOf } from '../../../errors.js';
import { type Clock, systemClock } from '../../../time.js';
import { runChild, type SpawnChild } from '../../child/process.js';
import type { Source } from '../../source.js';
import { abandonedError, exitError } from '../ffmpeg/source.js';
import {
  type LibcameraPicture,
  type ProgramOption,
  pictureOptions,
  plainNumber,
  programArgument,
} from './controls.js';
import { findProgram, programMissing } from './program.js';
import { createRawStreamReader } from './raw-stream.js';

export interface LibcameraStreamOptions extends LibcameraPicture {
  /** Frames a second, over 0, up to 120. */
  readonly fps: number;
  /** Absolute path of the program; default: the first that `path` has. */
  readonly program?: string;
  /** Where the program is looked for; default: the PATH. */
  readonly path?: string;
  readonly spawn?: SpawnChild;
  readonly clock?: Clock;
}

const SUBJECT = 'libcamera';
/** "Device timeout detected" so many times without a frame in between: the camera is wedged. */
const MAX_TIMEOUTS = 3;

/** Arguments for `rpicam-vid`: raw planes to stdout, each frame at once. Throws MND_CONFIG_INVALID. */
export function streamArguments(options: LibcameraStreamOptions): string[] {
  const { fps } = options;
  if (!(fps > 0 && fps <= 120)) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: 'fps',
      expected: 'over 0, up to 120',
      found: String(fps),
    });
  }
  const all: ProgramOption[] = [
    ['codec', 'yuv420'],
    ['output', '-'],
    ['flush', true],
    ['timeout', '0'],
    ['nopreview', true],
    // Above 0, some versions write messages to stdout, among the pixels.
    ['verbose', '0'],
    ['framerate', plainNumber(Math.max(fps, 0.001))],
    ...pictureOptions(options),
  ];
  return all.map(programArgument);
}

/**
 * A Raspberry Pi camera as `rpicam-vid` (or `libcamera-vid`) streams it: `yuv420p`, full range,
 * without padding. Throws MND_CONFIG_INVALID.
 */
export function createLibcameraStream(options: LibcameraStreamOptions): Source {
  const args = streamArguments(options);
  const clock = options.clock ?? systemClock;
  return {
    async run(signal, onFrame) {
      const program = options.program ?? (await findProgram('vid', options.path));
      if (program === null) return programMissing('vid');
      const stop = new AbortController();
      const stopWith = AbortSignal.any([signal, stop.signal]);
      let fault: Error | null = null;
      let timeouts = 0;
      const breakOff = (error: unknown): void => {
        fault ??= error instanceof Error ? error : new Error(messageOf(error));
        stop.abort();
      };
      const reader = createRawStreamReader(options.size, options.fps, (frame) => {
        timeouts = 0;
        onFrame(frame);
      });
      const onStdout = (chunk: Uint8Array): void => {
        try {
          reader.push(chunk, clock.now());
        } catch (error) {
          breakOff(error);
        }
      };
      const onStderrLine = (line: string): void => {
        const size = streamSize(line);
        if (size !== null) reader.resize(...size);
        if (!/device timeout detected|frontend has timed out/i.test(line)) return;
        timeouts += 1;
        if (timeouts >= MAX_TIMEOUTS) breakOff(wedged(line));
      };
      const { spawn } = options;
      const child = { command: program, args, onStdout, onStderrLine, spawn, clock };
      const exit = await runChild(child, stopWith);
      if (exit.abandoned) return abandonedError(SUBJECT, program);
      if (signal.aborted) return codedError('MND_CAMERA_STOPPED', { subject: SUBJECT });
      if (fault !== null) return fault;
      if (/no cameras available|camera is not available/i.test(exit.stderr)) {
        return noCamera(exit.stderr);
      }
      return exitError(SUBJECT, program, exit);
    },
  };
}

/** libcamera's line `… configuring streams: (0) 640x480-YUV420 …` tells the size it settled for. */
function streamSize(line: string): [width: number, height: number] | null {
  const match = /configuring streams: \(0\) (\d{2,5})x(\d{2,5})-YUV420\b/.exec(line);
  if (match === null) return null;
  const [width, height] = [Number(match[1]), Number(match[2])];
  const usable = width % 2 === 0 && height % 2 === 0 && width * height <= 8192 * 8192;
  return usable ? [width, height] : null;
}

function wedged(line: string): Error {
  return codedError('MND_CAMERA_STALLED', {
    subject: SUBJECT,
    found: `"${line}"`,
    next: 'check the ribbon cable and the power supply',
  });
}

function noCamera(stderr: string): Error {
  return codedError('MND_CAMERA_MISSING', {
    subject: SUBJECT,
    expected: 'a camera',
    found: `"${stderr.split('\n').at(-1) ?? ''}"`,
    next: 'check the ribbon cable, and see rpicam-hello --list-cameras',
  });
}
