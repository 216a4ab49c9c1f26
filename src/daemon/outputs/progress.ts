import type { CameraStatus } from '../../camera/supervisor.js';

/** A camera as far as its progress matters. */
export interface CameraProgress {
  readonly name: string;
  readonly status: CameraStatus;
  /** False while it has been switched off from outside. */
  readonly enabled: boolean;
  /** Frames its source delivered since the start. */
  readonly delivered: number;
  /** Milliseconds without a frame after which its supervisor restarts it; null: never. */
  readonly stallMs: number | null;
}

export interface Progress {
  /** Frames labelled since the start. */
  readonly labelled: number;
  /** Frames that the network failed to label since the start; not those that were damaged. */
  readonly failed: number;
  /** Milliseconds that the frame being looked at has been in the network; null without one. */
  readonly lookingMs: number | null;
  readonly cameras: readonly CameraProgress[];
}

export interface ProgressLimits {
  /** A frame in the network for so long is stuck, ms. */
  readonly stuckMs: number;
  /** How long every inference may fail (the worker is restarted meanwhile), ms. */
  readonly failingMs: number;
  /** What a supervisor may take beyond a camera's stall timeout, ms. */
  readonly graceMs: number;
}

/** Why the daemon counts as sound or not, for people. */
export interface Verdict {
  readonly sound: boolean;
  readonly reason: string;
  /** Whether any camera is meant to deliver now: not switched off, outside its schedule or at its end. */
  readonly awaitsFrames: boolean;
}

export const PROGRESS_LIMITS: ProgressLimits = {
  stuckMs: 30_000,
  failingMs: 300_000,
  graceMs: 60_000,
};

/**
 * Judges, look by look, whether frames make progress, or whether there is a sound reason that they
 * do not: cameras that are away (and supervised), switched off, at their end, or still. Not sound
 * are a frame that never leaves the network, inferences that all fail, and a source that neither
 * delivers nor is restarted: what no part of the daemon repairs by itself.
 *
 * @param now monotonic milliseconds
 */
export function createProgressJudge(
  now: () => number,
  limits: ProgressLimits = PROGRESS_LIMITS,
): (progress: Progress) => Verdict {
  let labelled = 0;
  let failed = 0;
  let failingSince: number | null = null;
  const deliveries = new Map<string, { delivered: number; at: number }>();

  function networkFault(progress: Progress, time: number): string | null {
    const advanced = progress.labelled !== labelled;
    if (advanced) failingSince = null;
    else if (progress.failed !== failed) failingSince ??= time;
    ({ labelled, failed } = progress);
    if (!advanced && (progress.lookingMs ?? 0) > limits.stuckMs) {
      return `a frame has been in the network for ${seconds(progress.lookingMs ?? 0)}`;
    }
    if (failingSince !== null && time - failingSince > limits.failingMs) {
      return `every inference has failed for ${seconds(time - failingSince)}`;
    }
    return null;
  }

  function cameraFault(camera: CameraProgress, time: number): string | null {
    const { name, delivered, status, stallMs } = camera;
    const last = deliveries.get(name);
    if (last === undefined || last.delivered !== delivered || status !== 'online') {
      deliveries.set(name, { delivered, at: time });
      return null;
    }
    const silent = time - last.at;
    if (stallMs === null || silent <= stallMs + limits.graceMs) return null;
    return `${name} has delivered nothing for ${seconds(silent)} and is not restarted`;
  }

  return (progress) => {
    const time = now();
    const moved = progress.labelled !== labelled;
    const fault =
      networkFault(progress, time) ??
      // Every camera is looked at, so that each one's clock runs.
      progress.cameras.map((camera) => cameraFault(camera, time)).find((text) => text !== null) ??
      null;
    const awaitsFrames = progress.cameras.some(isAsked);
    if (fault !== null) return { sound: false, reason: fault, awaitsFrames };
    const reason = moved ? 'frames are labelled' : reasonOfRest(progress);
    return { sound: true, reason, awaitsFrames };
  };
}

function isAsked({ status, enabled }: CameraProgress): boolean {
  return enabled && (status === 'online' || status === 'offline');
}

function reasonOfRest({ cameras }: Progress): string {
  if (cameras.length === 0) return 'no camera';
  return cameras
    .map(({ name, status, enabled }) => `${name} ${enabled ? restOf(status) : 'disabled'}`)
    .join(', ');
}

function restOf(status: CameraStatus): string {
  return status === 'online' ? 'still' : status;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
