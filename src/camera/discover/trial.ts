import { access, constants } from 'node:fs/promises';
import { isCodedError, messageOf } from '../../errors.js';
import { type Clock, systemClock } from '../../time.js';
import type { CapturedFrame, Source } from '../source.js';
import type { SourceOptions } from '../sources/sources.js';
import type { CameraFinding } from './finding.js';

export interface TrialOptions {
  readonly createSource: (options: SourceOptions) => Source;
  readonly clock?: Clock;
  /** Seconds a camera gets to deliver its first frame. */
  readonly deadline: number;
}

/** Runs a camera until its first frame, its failure or the deadline. */
export async function tryFrame(
  name: string,
  camera: SourceOptions,
  options: TrialOptions,
  signal: AbortSignal,
): Promise<CameraFinding> {
  const subject = `camera ${name}`;
  if (camera.source === 'watch') return checkWatched(subject, camera.path ?? '');
  const clock = options.clock ?? systemClock;
  const stop = new AbortController();
  const started = clock.now();
  const cancel = clock.setTimer(() => stop.abort(), options.deadline * 1000);
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
  if (frame === null) return failure(subject, camera, reason, options.deadline);
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
  camera: SourceOptions,
  reason: unknown,
  deadline: number,
): CameraFinding {
  const late = isCodedError(reason) && reason.code === 'MND_CAMERA_STOPPED';
  const own = isCodedError(reason) ? (reason.detail.next ?? null) : null;
  const message = messageOf(reason);
  const said = own === null ? message : message.replace(`; ${own}`, '');
  const found = late ? `no frame within ${deadline} s` : said;
  return { subject, level: 'fail', found, next: own ?? adviceFor(found, camera) };
}

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
  [
    /ENOENT|no such file|no such device/i,
    'plug it in, and take a name from /dev/v4l/by-id, which stays the same',
  ],
];

/** The sources that read a file or folder; a device is not their trouble. */
const READS_PATH: readonly string[] = ['video', 'files', 'watch'];

function adviceFor(found: string, { source }: SourceOptions): string | null {
  if (READS_PATH.includes(source) && /ENOENT|no such file/i.test(found)) {
    return 'see whether the path is right, and whether what it is on is mounted';
  }
  const known = ADVICE.find(([pattern]) => pattern.test(found));
  if (known !== undefined) return known[1];
  if (source === 'libcamera' || source === 'still') {
    return 'try it without this program: rpicam-hello --timeout 2000';
  }
  if (source === 'rtsp' || source === 'mjpeg') {
    return 'open the same address with ffplay or VLC on another machine';
  }
  return null;
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
