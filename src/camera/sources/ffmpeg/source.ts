import { access, constants } from 'node:fs/promises';
import { codedError, messageOf } from '../../../errors.js';
import { createMasker, maskAddresses, secretsInAddress } from '../../../mask.js';
import type { Clock } from '../../../time.js';
import { type ChildExit, runChild, type SpawnChild } from '../../child/process.js';
import type { Gateway } from '../../gateway/gateway.js';
import { openHttpGateway } from '../../gateway/http.js';
import { openRtspGateway } from '../../gateway/rtsp.js';
import { createY4mReader } from '../../pixels/y4m.js';
import type { Source } from '../../source.js';
import { type FfmpegPicture, ffmpegArguments } from './arguments.js';
import { type FfmpegInput, ffmpegStdin } from './input.js';

export interface FfmpegOptions extends FfmpegPicture {
  readonly input: FfmpegInput;
  /** Program to run; default `ffmpeg` on the PATH. */
  readonly program?: string;
  readonly spawn?: SpawnChild;
  readonly clock?: Clock;
}

/**
 * A camera or a video that ffmpeg reads and scales: a file (at its own speed), an RTSP stream, a
 * V4L2 device. Delivers `yuv420p`. Throws MND_CONFIG_INVALID.
 *
 * ffmpeg never speaks with a network camera itself: it is given the address of a gateway of ours.
 * Credentials in an address reach neither a log, nor an error, nor ffmpeg's arguments.
 */
export function createFfmpegSource(options: FfmpegOptions): Source {
  const { input } = options;
  const program = options.program ?? 'ffmpeg';
  // What is wrong with the options shows now, not at each start.
  ffmpegArguments(input, options);
  const subject = subjectOf(input);
  const redact = createMasker('url' in input ? secretsOf(input) : []);

  return {
    async run(signal, onFrame) {
      const missing = await missingInput(input, subject);
      if (missing !== null) return missing;
      // A broken stream stops the program, too.
      const stop = new AbortController();
      const stopWith = AbortSignal.any([signal, stop.signal]);
      let frames = 0;
      let broken: Error | null = null;
      const reader = createY4mReader((frame) => {
        frames += 1;
        onFrame(frame);
      });
      const onStdout = (chunk: Uint8Array): void => {
        try {
          reader.push(chunk);
        } catch (error) {
          broken = error instanceof Error ? error : new Error(messageOf(error));
          stop.abort();
        }
      };
      const { spawn, clock } = options;
      let gateway: Gateway | null;
      try {
        gateway = await openGateway(options);
      } catch (error) {
        return codedError('MND_CAMERA_FAILED', { subject, found: messageOf(error) });
      }
      const opened = gateway === null ? input : throughGateway(input, gateway);
      const exit = await runChild(
        {
          command: program,
          args: ffmpegArguments(opened, options),
          stdin: ffmpegStdin(opened),
          env: WITHOUT_PROXY,
          onStdout,
          spawn,
          clock,
        },
        stopWith,
      );
      gateway?.close();
      if (exit.abandoned) return abandonedError(subject, program);
      if (signal.aborted) return codedError('MND_CAMERA_STOPPED', { subject });
      if (broken !== null) return broken;
      const finite = 'loop' in input && !input.loop;
      const ended = finite && exit.code === 0 && frames > 0;
      if (ended) return codedError('MND_CAMERA_ENDED', { subject });
      return gateway?.fault() ?? exitError(subject, program, exit, redact);
    },
  };
}

/** A proxy of the surroundings is nothing to reach this machine's own ports through. */
const WITHOUT_PROXY: NodeJS.ProcessEnv = { ...process.env, http_proxy: '', no_proxy: '*' };

function openGateway({ input, clock }: FfmpegOptions): Promise<Gateway | null> {
  switch (input.kind) {
    case 'remote': {
      const { url, username, password, verify } = input;
      return openHttpGateway({ url, username, password, verify, clock });
    }
    case 'rtsp':
      return openRtspGateway(input.url);
    default:
      return Promise.resolve(null);
  }
}

/** The gateway to a video logs in itself; RTSP passes through it as it is. */
function throughGateway(input: FfmpegInput, { url }: Gateway): FfmpegInput {
  if (input.kind === 'rtsp') return { ...input, url };
  return input.kind === 'remote'
    ? { kind: 'remote', url, loop: input.loop, isGateway: true }
    : input;
}

function secretsOf({
  url,
  password = null,
}: Extract<FfmpegInput, { readonly url: string }>): string[] {
  return [...secretsInAddress(url), ...(password === null ? [] : [password])];
}

function subjectOf(input: FfmpegInput): string {
  if ('url' in input) return maskAddresses(input.url);
  return input.kind === 'video' ? input.path : input.device;
}

async function missingInput(input: FfmpegInput, subject: string): Promise<Error | null> {
  if ('url' in input) return null;
  const path = input.kind === 'video' ? input.path : input.device;
  try {
    await access(path, constants.R_OK);
    return null;
  } catch (error) {
    return codedError('MND_CAMERA_MISSING', {
      subject,
      expected: input.kind === 'video' ? 'a video file' : 'a video device',
      found: messageOf(error),
      ...(input.kind === 'v4l2' && {
        next: 'see that it is plugged in, and take its name from /dev/v4l/by-id, which stays the same',
      }),
      cause: error,
    });
  }
}

/** What a program that was not asked to stop ended with. */
export function exitError(
  subject: string,
  program: string,
  exit: ChildExit,
  redact: (text: string) => string = (text) => text,
): Error {
  if (exit.startError !== null) {
    const missing = exit.startError.code === 'ENOENT';
    return codedError(missing ? 'MND_CAMERA_MISSING' : 'MND_CAMERA_FAILED', {
      subject,
      expected: `the program ${program}`,
      found: missing ? 'none on the PATH' : exit.startError.message,
      ...(missing ? { next: `install it: apt install ${program}` } : {}),
      // Not as the cause: that error carries the arguments, and with them credentials.
    });
  }
  const how = exit.signal === null ? `status ${exit.code}` : exit.signal;
  const lastLine = withoutLeftovers(redact(exit.stderr.split('\n').at(-1) ?? ''), subject);
  return codedError('MND_CAMERA_FAILED', {
    subject,
    found: `${program} ended with ${how}${lastLine === '' ? '' : `: ${lastLine}`}`,
  });
}

/** ffmpeg's last words without the addresses of its parts and the name of what it reads. */
export function withoutLeftovers(line: string, subject: string): string {
  const words = line.replace(/^(?:\[[^\]]* @ 0x[0-9a-f]+\] )+/, '');
  const named = [`file:${subject}: `, `${subject}: `].find((name) => words.startsWith(name));
  return named === undefined ? words : words.slice(named.length);
}

export function abandonedError(subject: string, program: string): Error {
  return codedError('MND_CAMERA_FAILED', {
    subject,
    found: `${program} survives SIGKILL (stuck in the kernel); it is left behind`,
    next: 'check the camera; the board may need a restart',
  });
}
