import type { Result } from '../../inference/result.js';
import type { Timers } from '../log.js';
import { labelsPayload } from './payloads.js';

const INTERVAL_MS = 1000;

interface Lane {
  shownAt: number;
  /** True while the last one shown had no labels: an empty scene is said once. */
  empty: boolean;
  newest: Result | null;
  timer: unknown;
}

/** Thins results out to one a second and camera, always the newest; an empty scene is shown once. */
export function createLabelsFeed(options: {
  readonly timers: Timers;
  readonly monotonic: () => number;
  readonly publish: (camera: string, payload: object) => void;
}): { show(result: Result): void; forget(camera: string): void; stop(): void } {
  const { timers, monotonic } = options;
  const lanes = new Map<string, Lane>();

  function publish(lane: Lane, result: Result): void {
    lane.shownAt = monotonic();
    lane.empty = result.labels.length === 0;
    lane.newest = null;
    options.publish(result.camera, labelsPayload(result));
  }

  function later(lane: Lane): void {
    lane.timer ??= timers.setTimeout(
      () => {
        lane.timer = null;
        if (lane.newest !== null) publish(lane, lane.newest);
      },
      lane.shownAt + INTERVAL_MS - monotonic(),
    );
  }

  function forget(camera: string): void {
    const lane = lanes.get(camera);
    if (lane?.timer != null) timers.clearTimeout(lane.timer);
    lanes.delete(camera);
  }

  return {
    show(result) {
      const lane = lanes.get(result.camera) ?? {
        shownAt: Number.NEGATIVE_INFINITY,
        empty: false,
        newest: null,
        timer: null,
      };
      lanes.set(result.camera, lane);
      if (lane.empty && result.labels.length === 0) {
        lane.newest = null;
      } else if (monotonic() - lane.shownAt >= INTERVAL_MS) {
        publish(lane, result);
      } else {
        lane.newest = result;
        later(lane);
      }
    },
    forget,
    stop() {
      for (const camera of [...lanes.keys()]) forget(camera);
    },
  };
}
