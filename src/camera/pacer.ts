import { type Clock, sleep } from '../time.js';

/** A frame rate (1/s): fixed, or looked up before every frame. */
export type FrameRate = number | (() => number);

/** Keeps a loop at a frame rate: a frame that comes late moves the ones after it, none is made up for. */
export interface Pacer {
  /** Waits until the next frame is due, or the signal is aborted. */
  next(signal: AbortSignal): Promise<void>;
}

/** Slowest rate that is honoured: one frame in a day. */
const MIN_RATE = 1 / 86_400;

export function createPacer(clock: Clock, rate: FrameRate): Pacer {
  let due: number | null = null;
  return {
    async next(signal) {
      const now = clock.now();
      const wanted = typeof rate === 'number' ? rate : rate();
      const interval = 1000 / Math.max(MIN_RATE, wanted);
      due = due === null ? now : Math.max(due + interval, now);
      // Even a late frame lets the event loop turn once, so that a slow source starves nobody.
      await sleep(clock, due - now, signal);
    },
  };
}
