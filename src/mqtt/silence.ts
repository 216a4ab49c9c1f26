import type { Timers } from './log.js';

/** Tells when a broker has sent what it had retained: nothing marks its end but silence. */
export interface Silence {
  /** To be called for every message. */
  heard(): void;
  /** Resolves when nothing has been heard for `quietMs`, or after `longestMs` in any case. */
  fallen(quietMs: number, longestMs?: number): Promise<void>;
}

export function createSilence(timers: Timers): Silence {
  let heard = (): void => {};
  return {
    heard: () => heard(),
    fallen: (quietMs, longestMs) =>
      new Promise((resolve) => {
        if (longestMs !== undefined) timers.setTimeout(resolve, longestMs);
        let quiet = timers.setTimeout(resolve, quietMs);
        heard = () => {
          timers.clearTimeout(quiet);
          quiet = timers.setTimeout(resolve, quietMs);
        };
      }),
  };
}
