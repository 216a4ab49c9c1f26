import { availableParallelism } from 'node:os';
import type { CameraConfig, Config } from '../config/config.js';
import type { PresenceOptions } from '../presence/presence.js';

/** Threads of one inference: every core but one, at most three (more gain little and heat a lot). */
export function threadsOf(config: Config, cores = availableParallelism()): number {
  const { threads } = config.model;
  return threads === 'auto' ? Math.max(1, Math.min(3, cores - 1)) : threads;
}

export function presenceOptionsOf(
  config: Config,
  camera: CameraConfig,
  mode: 'stream' | 'still',
  createId: (timeMs: number) => string,
): PresenceOptions {
  const { presence } = config;
  const own = camera.presence;
  const labels = Object.fromEntries(
    Object.entries(presence.labels).map(([label, rule]) => [
      label,
      {
        ...(rule.enter !== undefined && { enter: rule.enter }),
        ...(rule.stay !== undefined && { stay: rule.stay }),
        ...(rule.off_delay !== undefined && { offDelay: rule.off_delay }),
        ...(rule.min_frames !== undefined && { minFrames: rule.min_frames }),
      },
    ]),
  );
  return {
    enter: own.enter ?? presence.enter,
    stay: own.stay ?? presence.stay,
    offDelay: own.off_delay ?? presence.off_delay,
    minFrames: own.min_frames ?? presence.min_frames,
    labels,
    groups: presence.groups,
    ...(camera.labels !== 'all' && { keep: camera.labels }),
    resultInterval: Math.max(
      1 / Math.min(camera.fps, config.governor.min_fps),
      mode === 'still' ? camera.still_interval : 0,
      mode === 'stream' && camera.motion.enabled ? camera.motion.refresh : 0,
    ),
    // Single pictures, minutes apart: there is no next one that could confirm what this one shows.
    ...((camera.source === 'watch' || mode === 'still') && { window: 1, minFrames: 1 }),
    createId,
  };
}

/**
 * Names a camera's results are reduced to before anything else sees them, or null for all: the kept
 * labels, and the members of kept groups.
 */
export function keptLabelsOf(config: Config, camera: CameraConfig): ReadonlySet<string> | null {
  if (camera.labels === 'all') return null;
  const kept = new Set(camera.labels);
  for (const name of camera.labels) {
    for (const member of config.presence.groups[name] ?? []) kept.add(member);
  }
  return kept;
}

/**
 * Score below which an object changes nothing, 0 to 1: presence looks at medians against `enter` and
 * `stay`, so a score under the least `stay` may as well be absent. Of one camera, or the least of all.
 */
export function thresholdOf(config: Config, camera?: CameraConfig): number {
  const { presence, model } = config;
  const cameras = camera === undefined ? Object.values(config.cameras) : [camera];
  const general = Math.min(...cameras.map((each) => each.presence.stay ?? presence.stay), 1);
  const stays = Object.values(presence.labels).map((rule) => rule.stay ?? general);
  const least = Math.min(cameras.length === 0 ? presence.stay : general, ...stays);
  return model.task === 'detect' ? Math.min(least, model.threshold) : least;
}
