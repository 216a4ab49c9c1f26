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
  createId: (timeMs: number) => string,
): PresenceOptions {
  const { presence } = config;
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
    enter: presence.enter,
    stay: presence.stay,
    offDelay: presence.off_delay,
    minFrames: presence.min_frames,
    labels,
    groups: presence.groups,
    ...(camera.labels !== 'all' && { keep: camera.labels }),
    resultInterval: Math.max(
      1 / Math.min(camera.fps, config.governor.min_fps),
      camera.motion.enabled ? camera.motion.refresh : 0,
    ),
    // Single pictures, minutes apart: there is no next one that could confirm what this one shows.
    ...((camera.source === 'watch' || camera.source === 'still') && { window: 1, minFrames: 1 }),
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
 * `stay`, so a score under the least `stay` may as well be absent.
 */
export function thresholdOf(config: Config): number {
  const { presence, model } = config;
  const stays = Object.values(presence.labels).map((rule) => rule.stay ?? presence.stay);
  const least = Math.min(presence.stay, ...stays);
  return model.task === 'detect' ? Math.min(least, model.threshold) : least;
}
