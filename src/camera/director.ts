import { codedError } from '../errors.js';
import type { CameraStatus } from './supervisor.js';

/** What a camera does: nothing, or one of the two ways to read it. */
export type CaptureMode = 'off' | 'stream' | 'still';

export interface DirectorOptions {
  /** Supervises the source of a mode until the signal is aborted or the source has ended. */
  readonly supervise: (
    mode: Exclude<CaptureMode, 'off'>,
    signal: AbortSignal,
    onStatus: (status: CameraStatus, reason: string | null) => void,
  ) => Promise<void>;
  readonly onStatus: (status: CameraStatus, reason: string | null) => void;
}

/** Decides which source of a camera runs; never two at a time. */
export interface Director {
  /** Changes the mode; the source that runs is stopped first. `reason` says why it is off. */
  set(mode: CaptureMode, reason?: string | null): void;
  mode(): CaptureMode;
  /** Stops the source and starts it anew, as for a change of its settings. */
  restart(): void;
  /**
   * Stops the source, runs the work and starts the source again; work is done one after the other.
   * Rejects with what the work rejects with; with MND_CAMERA_STOPPED when the camera is off, or goes
   * off before it is its turn.
   */
  exclusively<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Until the signal is aborted. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

interface Job {
  start(signal: AbortSignal): Promise<void>;
  refuse(): void;
}

export function createDirector(options: DirectorOptions): Director {
  const jobs: Job[] = [];
  let mode: CaptureMode = 'stream';
  let reason: string | null = null;
  /** Ends what is being done now, so that the next look at `mode` and `jobs` follows. */
  let turn = new AbortController();
  let running = false;

  function turnOver(): void {
    turn.abort();
    turn = new AbortController();
  }

  function changed(now: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (now.aborted) resolve();
      else now.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async function step(signal: AbortSignal, now: AbortSignal): Promise<void> {
    if (mode === 'off') {
      for (const job of jobs.splice(0)) job.refuse();
      options.onStatus('disabled', reason);
      return changed(now);
    }
    const job = jobs.shift();
    if (job !== undefined) return job.start(signal);
    await options.supervise(mode, now, (status, why) => {
      // That it stopped for something else is no news.
      if (!now.aborted) options.onStatus(status, why);
    });
    // A source that has ended by itself is not begun again.
    return changed(now);
  }

  return {
    set(next, why = null) {
      if (next === mode && why === reason) return;
      mode = next;
      reason = why;
      turnOver();
    },
    mode: () => mode,
    restart: turnOver,
    exclusively(work) {
      return new Promise((resolve, reject) => {
        const refuse = (): void => reject(codedError('MND_CAMERA_STOPPED', stopped(reason)));
        if (mode === 'off' || !running) {
          refuse();
          return;
        }
        const start = (signal: AbortSignal) => work(signal).then(resolve, reject);
        jobs.push({ start, refuse });
        // A job under way is followed by the next one anyway.
        turnOver();
      });
    },
    async run(signal) {
      running = true;
      const stop = (): void => turnOver();
      signal.addEventListener('abort', stop, { once: true });
      while (!signal.aborted) await step(signal, turn.signal);
      signal.removeEventListener('abort', stop);
      running = false;
      for (const job of jobs.splice(0)) job.refuse();
      options.onStatus('offline', 'stopped');
    },
  };
}

function stopped(reason: string | null): { readonly found: string } {
  return { found: reason ?? 'a camera that is off' };
}
