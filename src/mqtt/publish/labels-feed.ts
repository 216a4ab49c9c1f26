import type { Result } from '../../inference/result.js';
import type { Clock } from '../../time.js';
import { labelsPayload } from './payloads.js';

const INTERVAL_MS = 1000;

interface Feed {
  shownAt: number;
  /** True while the last one shown had no labels: an empty scene is said once. */
  empty: boolean;
  newest: Result | null;
  /** Ends the wait for the next second; null while nothing waits. */
  cancel: (() => void) | null;
}

/** Thins results out to one a second and camera, always the newest; an empty scene is shown once. */
export function createLabelsFeed(options: {
  readonly clock: Clock;
  readonly publish: (camera: string, payload: object) => void;
}): { show(result: Result): void; forget(camera: string): void; stop(): void } {
  const { clock } = options;
  const feeds = new Map<string, Feed>();

  function publish(feed: Feed, result: Result): void {
    feed.shownAt = clock.now();
    feed.empty = result.labels.length === 0;
    feed.newest = null;
    options.publish(result.camera, labelsPayload(result));
  }

  function later(feed: Feed): void {
    feed.cancel ??= clock.setTimer(
      () => {
        feed.cancel = null;
        if (feed.newest !== null) publish(feed, feed.newest);
      },
      feed.shownAt + INTERVAL_MS - clock.now(),
    );
  }

  function forget(camera: string): void {
    const feed = feeds.get(camera);
    feed?.cancel?.();
    feeds.delete(camera);
  }

  return {
    show(result) {
      const feed = feeds.get(result.camera) ?? {
        shownAt: Number.NEGATIVE_INFINITY,
        empty: false,
        newest: null,
        cancel: null,
      };
      feeds.set(result.camera, feed);
      if (feed.empty && result.labels.length === 0) {
        feed.newest = null;
      } else if (clock.now() - feed.shownAt >= INTERVAL_MS) {
        publish(feed, result);
      } else {
        feed.newest = result;
        later(feed);
      }
    },
    forget,
    stop() {
      for (const camera of [...feeds.keys()]) forget(camera);
    },
  };
}
