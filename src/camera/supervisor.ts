import { codedError, isCodedError, messageOf, reasonOf } from '../errors.js';
import { createRepeatingLog, type Log, SILENT } from '../log.js';
import { type Clock, createBackoff, sleep, systemClock } from '../time.js';
import type { CapturedFrame, Source } from './source.js';

/** `ended`: a finite source has delivered its last picture. `disabled` is set by whoever disables. */
export type CameraStatus = 'online' | 'offline' | 'disabled' | 'ended';

export interface SupervisorOptions {
  readonly name: string;
  /** Makes the source anew for every attempt; what it throws counts as a failed attempt. */
  readonly createSource: () => Source;
  /**
   * Seconds without a frame after which the source is restarted; null: never, and the source counts
   * as online once it has run for two seconds.
   */
  readonly stallTimeout: number | null;
  /** Takes a frame; when it throws (a frame of the wrong size), the source is restarted. */
  readonly onFrame: (frame: CapturedFrame) => void;
  /** Called when the status or its reason changes; the reason is null while online. */
  readonly onStatus: (status: CameraStatus, reason: string | null) => void;
  /** Told of failures, of each code at most once a minute. */
  readonly log?: Pick<Log, 'info' | 'warn' | 'error'>;
  readonly clock?: Clock;
  /** 0 to 1. */
  readonly random?: () => number;
}

/** Frames over this long a time prove a source sound: the back-off starts over. */
const SOUND_AFTER_MS = 60_000;
/** A source that need not deliver is online when it has lasted this long. */
const SETTLED_AFTER_MS = 2000;
/** Longer than the escalation of a child process: a source that is not back by then is left behind. */
const ABANDON_AFTER_MS = 15_000;

/**
 * Runs a source until the signal is aborted or the source ends, and restarts it whenever it breaks
 * or delivers no frame for `stallTimeout`, after 1 s, 2 s, 4 s … 60 s (with jitter). Never rejects.
 */
export async function superviseSource(
  options: SupervisorOptions,
  signal: AbortSignal,
): Promise<void> {
  const clock = options.clock ?? systemClock;
  const setStatus = createStatus(options.onStatus);
  const log = createRepeatingLog(options.log ?? SILENT, {
    clock,
  });
  const backoff = createBackoff({ random: options.random });

  while (!signal.aborted) {
    const attempt = await runAttempt(options, clock, signal, () => setStatus('online', null));
    if (signal.aborted) break;
    const { error } = attempt;
    if (isCodedError(error) && error.code === 'MND_CAMERA_ENDED') {
      setStatus('ended', messageOf(error));
      return;
    }
    if (attempt.framesOver >= SOUND_AFTER_MS) backoff.reset();
    setStatus('offline', reasonOf(error));
    const code = isCodedError(error) ? error.code : 'other';
    log.warn(code, `the camera failed: ${messageOf(error)}`, { code });
    await sleep(clock, backoff.next(), signal);
  }
  setStatus('offline', 'stopped');
}

interface Attempt {
  readonly error: Error;
  /** Milliseconds from the first frame to the last. */
  readonly framesOver: number;
}

async function runAttempt(
  options: SupervisorOptions,
  clock: Clock,
  signal: AbortSignal,
  onOnline: () => void,
): Promise<Attempt> {
  const stop = new AbortController();
  let fault: Error | null = null;
  let firstFrame: number | null = null;
  let lastFrame = clock.now();

  const breakOff = (error: Error): void => {
    fault ??= error;
    stop.abort();
  };
  const onFrame = (frame: CapturedFrame): void => {
    // A source that is being stopped, or was left behind, may still deliver: too late.
    if (stop.signal.aborted) return;
    try {
      options.onFrame(frame);
    } catch (error) {
      breakOff(asError(error));
      return;
    }
    alive();
  };
  const alive = (): void => {
    if (stop.signal.aborted) return;
    lastFrame = clock.now();
    if (firstFrame !== null) return;
    firstFrame = lastFrame;
    onOnline();
  };
  const stopWith = (): void => stop.abort();
  signal.addEventListener('abort', stopWith, { once: true });
  const cancelStall =
    options.stallTimeout === null
      ? clock.setTimer(onOnline, SETTLED_AFTER_MS)
      : watchForStall(options, clock, () => lastFrame, breakOff);

  const error = await runToEnd(options, clock, stop.signal, onFrame, alive);
  cancelStall();
  stop.abort();
  signal.removeEventListener('abort', stopWith);
  return { error: fault ?? error, framesOver: firstFrame === null ? 0 : lastFrame - firstFrame };
}

/** The source's reason to end; its own failure to end within the deadline is a reason, too. */
async function runToEnd(
  options: SupervisorOptions,
  clock: Clock,
  signal: AbortSignal,
  onFrame: (frame: CapturedFrame) => void,
  onAlive: () => void,
): Promise<Error> {
  let cancelDeadline = (): void => {};
  let startDeadline = (): void => {};
  const leftBehind = new Promise<Error>((resolve) => {
    const error = codedError('MND_CAMERA_FAILED', {
      subject: `camera ${options.name}`,
      found: 'a source that does not stop; it is left behind',
    });
    startDeadline = () => {
      cancelDeadline = clock.setTimer(() => resolve(error), ABANDON_AFTER_MS);
    };
  });
  signal.addEventListener('abort', startDeadline, { once: true });
  if (signal.aborted) startDeadline();
  try {
    return await Promise.race([options.createSource().run(signal, onFrame, onAlive), leftBehind]);
  } catch (error) {
    return asError(error);
  } finally {
    signal.removeEventListener('abort', startDeadline);
    cancelDeadline();
  }
}

/** One timer per attempt, moved on when it fires, so that a frame costs no timer. */
function watchForStall(
  { name, stallTimeout }: SupervisorOptions,
  clock: Clock,
  lastFrame: () => number,
  onStall: (error: Error) => void,
): () => void {
  if (stallTimeout === null) return () => {};
  const limit = stallTimeout * 1000;
  let cancel = (): void => {};
  const check = (): void => {
    const left = lastFrame() + limit - clock.now();
    if (left > 0) {
      cancel = clock.setTimer(check, left);
      return;
    }
    onStall(
      codedError('MND_CAMERA_STALLED', {
        subject: `camera ${name}`,
        expected: `a frame at least every ${stallTimeout} s`,
      }),
    );
  };
  check();
  return () => cancel();
}

function createStatus(
  onStatus: SupervisorOptions['onStatus'],
): (status: CameraStatus, reason: string | null) => void {
  let last: string | null = null;
  return (status, reason) => {
    const key = `${status} ${reason ?? ''}`;
    if (key === last) return;
    last = key;
    onStatus(status, reason);
  };
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(messageOf(value));
}
