/** A second of the processor's clock. */
export interface ClockSample {
  /** Clock relative to the highest it can have, 0 to 1; null: unknown. */
  readonly clock: number | null;
  /** Busy fraction of the whole CPU, 0 to 1; null: unknown. */
  readonly cpuUtil: number | null;
  /** The sensor is believed, and says that nothing slows the clock because of heat. */
  readonly isCool: boolean;
}

/**
 * Whether heat slows the clock, by what it was under as much load on a cool board. (A clock that follows the
 * load is low on an idle CPU, and by the ways of its driver on a half busy one: so only the same load is
 * compared, and a busy CPU only.)
 */
export interface ClockWatch {
  /** Returns true once a busy CPU has been slower than ever on a cool board for some seconds. */
  update(s: ClockSample, dtS: number): boolean;
}

/** On a CPU less busy than this the clock tells nothing. */
const BUSY = 0.4;
const BUCKET = 0.1;
/** A bucket of load counts once it was seen for so long on a cool board, s. */
const LEARNT_S = 30;
/** The lower envelope: down in seconds, up over a quarter of an hour. */
const DOWN_S = 5;
const UP_S = 900;
/** Slower than it was by this part, for so long, s. */
const SLOWER = 0.06;
const LASTING_S = 3;

/** This much of the highest clock seen is all of it. */
const FULL = 0.99;

interface Bucket {
  clock: number;
  seenS: number;
}

export function createClockWatch(): ClockWatch {
  const buckets: (Bucket | undefined)[] = [];
  let highest = 0;
  let slowS = 0;

  const learn = (index: number, clock: number, dtS: number): void => {
    const bucket = buckets[index] ?? { clock, seenS: 0 };
    buckets[index] = bucket;
    const tau = clock < bucket.clock ? DOWN_S : UP_S;
    bucket.clock += (clock - bucket.clock) * (1 - Math.exp(-dtS / tau));
    bucket.seenS += dtS;
  };

  /** The least that was seen under as much load or less: more load makes no clock slower. */
  const usual = (index: number): number | null => {
    const known = buckets
      .slice(0, index + 1)
      .flatMap((bucket) => (bucket !== undefined && bucket.seenS >= LEARNT_S ? [bucket] : []));
    return known.length === 0 ? null : Math.min(...known.map(({ clock }) => clock));
  };

  return {
    update({ clock, cpuUtil, isCool }, dtS) {
      const isTold = clock !== null && clock > 0 && cpuUtil !== null && cpuUtil >= BUSY;
      if (!isTold) {
        slowS = 0;
        return false;
      }
      const index = Math.floor(Math.min(0.99, cpuUtil) / BUCKET);
      highest = Math.max(highest, clock);
      // A clock that is as high as ever is not slowed, however hot it is.
      const isFull = clock >= highest * FULL;
      if (isCool || isFull) learn(index, clock, dtS);
      const least = usual(index);
      const isSlow = !isCool && least !== null && clock < least * (1 - SLOWER);
      slowS = isSlow ? slowS + dtS : 0;
      return slowS >= LASTING_S;
    },
  };
}
