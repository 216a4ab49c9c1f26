import type { Clock } from '../time.js';

/** Tells when a broker has sent what it had retained: nothing marks its end but silence. */
export interface Silence {
  /** To be called for every message. */
  heard(): void;
  /** Resolves when nothing has been heard for `quietMs`, or after `longestMs` in any case. */
  fallen(quietMs: number, longestMs?: number): Promise<void>;
}

export function createSilence(clock: Clock): Silence {
  let heard = (): void => {};
  return {
    heard: () => heard(),
    fallen: (quietMs, longestMs) =>
      new Promise((resolve) => {
        if (longestMs !== undefined) clock.setTimer(resolve, longestMs);
        let cancel = clock.setTimer(resolve, quietMs);
        heard = () => {
          cancel();
          cancel = clock.setTimer(resolve, quietMs);
        };
      }),
  };
}
