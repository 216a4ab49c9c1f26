import { type Clock, sleep } from '../time.js';
import type { LivePicture, PageSource } from './contract.js';

/** How long a request for the next picture waits for it, ms. */
export const PICTURE_WAIT_MS = 10_000;
/** Requests that wait for a picture, of all cameras. */
const MAX_WAITING = 64;

interface Feed {
  latest: LivePicture | null;
  /** The picture that is being waited for or coded; null: nobody asked. */
  coming: Promise<LivePicture> | null;
  /** When the last coding began, monotonic ms. */
  begunAt: number;
}

/**
 * Live pictures for everybody who looks: one coding for all, no more often than the daemon allows, and
 * none while nobody asks.
 */
export class LivePictures {
  readonly #source: PageSource;
  readonly #clock: Clock;
  readonly #feeds = new Map<string, Feed>();
  #waiting = 0;

  constructor(source: PageSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /**
   * The next picture of a camera whose frame is not `after`; null when none came in time. (Frames count anew after
   * a restart: a lower number is new as well.)
   *
   * @returns `busy` when too many wait already
   */
  async after(
    camera: string,
    after: number,
    signal: AbortSignal,
  ): Promise<LivePicture | null | 'busy'> {
    const feed = this.#feedOf(camera);
    const latest = feed.latest;
    const isFresh =
      latest !== null && this.#clock.now() - feed.begunAt < this.#source.pictureIntervalMs();
    if (latest !== null && latest.sequence !== after && isFresh) return latest;
    if (this.#waiting >= MAX_WAITING) return 'busy';
    this.#waiting += 1;
    const done = new AbortController();
    const stop = AbortSignal.any([signal, done.signal]);
    try {
      const picture = await Promise.race([
        this.#next(feed, camera, stop),
        sleep(this.#clock, PICTURE_WAIT_MS, stop).then(() => null),
      ]);
      const newest = picture ?? feed.latest;
      return newest !== null && newest.sequence !== after ? newest : null;
    } finally {
      done.abort();
      this.#waiting -= 1;
    }
  }

  async #next(feed: Feed, camera: string, signal: AbortSignal): Promise<LivePicture> {
    const wait = feed.begunAt + this.#source.pictureIntervalMs() - this.#clock.now();
    if (feed.coming === null && wait > 0) await sleep(this.#clock, wait, signal);
    if (feed.coming === null) {
      feed.begunAt = this.#clock.now();
      feed.coming = this.#source.nextPicture(camera).then(
        (picture) => {
          feed.latest = picture;
          feed.coming = null;
          return picture;
        },
        (error: unknown) => {
          feed.coming = null;
          throw error;
        },
      );
      // Whoever waited may have gone by then.
      feed.coming.catch(() => {});
    }
    return feed.coming;
  }

  #feedOf(camera: string): Feed {
    const known = this.#feeds.get(camera);
    if (known !== undefined) return known;
    const feed: Feed = { latest: null, coming: null, begunAt: Number.NEGATIVE_INFINITY };
    this.#feeds.set(camera, feed);
    return feed;
  }
}
