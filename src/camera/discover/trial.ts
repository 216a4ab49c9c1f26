import { access, constants } from 'node:fs/promises';
import { isCodedError, messageOf } from '../../errors.js';
import { type Clock, systemClock } from '../../time.js';
import type { CameraOptions } from '../create.js';
import { descriptionOf } from '../registry.js';
import type { CapturedFrame, Source } from '../source.js';
import type { CameraFinding } from './finding.js';

export interface TrialOptions {
  readonly createSource: (options: CameraOptions) => Source;
  readonly clock?: Clock;
  /** Seconds a camera gets to deliver its first frame; default: that of its kind. */
  readonly deadline?: number;
}

/** Whether a camera delivers, and what was found, for people. */
export interface TrialResult {
  readonly delivers: boolean;
  readonly found: string;
}

/** Runs a camera until its first frame, its failure or the deadline. */
export async function tryFrame(
  name: string,
  camera: CameraOptions,
  options: TrialOptions,
  signal: AbortSignal,
): Promise<CameraFinding> {
  const subject = `camera ${name}`;
  const deadline = options.deadline ?? descriptionOf(camera).trial;
  if (descriptionOf(camera).trial === null || deadline === null) {
    return checkWatched(subject, camera.path ?? '');
  }
  const clock = options.clock ?? systemClock;
  const stop = new AbortController();
  const started = clock.now();
  const cancel = clock.setTimer(() => stop.abort(), deadline * 1000);
  let seen: { readonly what: string; readonly dark: boolean; readonly ms: number } | null = null;
  const onFrame = (frame: CapturedFrame): void => {
    if (seen !== null) return;
    seen = { what: describe(frame), dark: isDark(frame), ms: clock.now() - started };
    stop.abort();
  };
  const reason = await options
    .createSource(camera)
    .run(AbortSignal.any([signal, stop.signal]), onFrame)
    .catch((error: unknown) => error);
  cancel();
  // Assigned in the callback, which the compiler does not follow.
  const frame = seen as {
    readonly what: string;
    readonly dark: boolean;
    readonly ms: number;
  } | null;
  if (frame === null) return failure(subject, camera, reason, deadline);
  const found = `${frame.what} after ${(frame.ms / 1000).toFixed(1)} s`;
  if (!frame.dark) return { subject, level: 'ok', found, next: null };
  return {
    subject,
    level: 'warn',
    found: `${found}, but the picture is black`,
    next: 'take the lens cap off, give it light, and see whether a mask covers everything',
  };
}

async function checkWatched(subject: string, path: string): Promise<CameraFinding> {
  const allowed = await access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
  return allowed
    ? {
        subject,
        level: 'ok',
        found: `${path} can be read; pictures come when they come`,
        next: null,
      }
    : {
        subject,
        level: 'fail',
        found: `${path} is missing or may not be read`,
        next: 'make the folder, and let the service read it',
      };
}

function failure(
  subject: string,
  camera: CameraOptions,
  reason: unknown,
  deadline: number,
): CameraFinding {
  const late = isCodedError(reason) && reason.code === 'MND_CAMERA_STOPPED';
  const own = isCodedError(reason) ? (reason.detail.next ?? null) : null;
  const message = messageOf(reason);
  const withoutAdvice = own === null ? message : message.replace(`; ${own}`, '');
  const found = late ? `no frame within ${deadline} s` : withoutAdvice;
  return { subject, level: 'fail', found, next: own ?? adviceFor(found, camera) };
}

const MISSING = /ENOENT|no such file|no such device/i;

/** What people can do about the messages of libcamera, ffmpeg and the system. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /in use by another process|device or resource busy|failed to acquire camera/i,
    'another program has the camera; when it is the service, stop it for the test: sudo systemctl stop mobilenetd',
  ],
  [
    /permission denied|operation not permitted|EACCES/i,
    'let this user read it; for a device: sudo usermod -aG video USER, then log in anew',
  ],
  [/401|unauthori[sz]ed|403|forbidden/i, 'check user name and password in the url'],
  [/404|not found/i, 'check the path in the url; the maker of the camera tells its streams'],
  [
    /connection refused|no route to host|network is unreachable|timed out|name or service/i,
    'see whether the address answers (ping), and whether the port is right: RTSP is 554 as a rule',
  ],
];

function adviceFor(found: string, camera: CameraOptions): string | null {
  const { missing, advice } = descriptionOf(camera);
  if (missing !== null && MISSING.test(found)) return missing;
  const known = ADVICE.find(([pattern]) => pattern.test(found));
  return known?.[1] ?? advice;
}

function describe({ width, height, format, bytes }: CapturedFrame): string {
  return format === 'jpeg'
    ? `a picture of ${Math.max(1, Math.round(bytes.length / 1000))} kB`
    : `a frame of ${width}×${height}`;
}

/** Luma (of rgb24: any channel) that a lit scene has somewhere. */
const LEAST_LIGHT = 24;
const SAMPLES = 4096;

function isDark({ width, height, format, bytes }: CapturedFrame): boolean {
  if (format === 'jpeg') return false;
  const length = format === 'rgb24' ? bytes.length : width * height;
  const step = Math.max(1, Math.floor(length / SAMPLES));
  for (let at = 0; at < length; at += step) if ((bytes[at] ?? 0) >= LEAST_LIGHT) return false;
  return true;
}
