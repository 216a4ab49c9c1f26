/** Whether the sensor answers to the load at all: a constant, or the thermometer of another place, does not. */
export interface Responsiveness {
  /**
   * @param readingC °C; null: none this second
   * @param load ours and the others', in units of full inference load
   */
  update(readingC: number | null, load: number, dtS: number): void;
  /** It has not answered to half an hour of changing load, nor moved since. */
  readonly isUnresponsive: boolean;
  /** It has stood still for nearly as long: whether it answers is worth a dip of the load. */
  readonly isSuspect: boolean;
}

/** How long a sensor may take to show that it is one, s. */
const WATCHED_S = 1800;
const SUSPECT_S = 1500;
/** What was before the start is not known: the board may be warm of a load that has ended, or goes on. */
const STARTING_S = 180;
/** Readings and loads are compared as means over so long, s. */
const BLOCK_S = 10;
/** Rises of the die and the board that any board makes at least, °C per unit load, and their times, s. */
const LEAST_RISE_C = 4;
const FAST_S = [7, 90] as const;
/** Slower changes are the room's, or what a governor makes of them: they prove nothing. */
const SLOW_S = 600;
/** The load has changed when it must have moved the reading by this, °C. */
const CHANGED_C = 1.2;
/** A sensor that shows less than this part of it does not answer. */
const ANSWER = 0.15;
/** A reading that leaves the range in which it stood by so much is looked at anew, °C; twice as much each time. */
const MOVED_C = 1;
const MOST_MOVED_C = 8;

interface Block {
  readonly riseC: number;
  readonly readingC: number;
}

export function createResponsiveness(): Responsiveness {
  const fast = FAST_S.map(() => 0);
  let slowLoad = 0;
  let slowReadingC: number | null = null;
  let sum = { s: 0, riseC: 0, readingC: 0 };
  let blocks: readonly Block[] = [];
  let stood: { readonly lowC: number; readonly highC: number } | null = null;
  let range = { lowC: Number.POSITIVE_INFINITY, highC: Number.NEGATIVE_INFINITY };
  let movedC = MOVED_C;
  let stillS = 0;
  let startingS = 0;
  let lastC: number | null = null;

  const filterLoad = (load: number, dtS: number): number => {
    FAST_S.forEach((tau, i) => {
      fast[i] = (fast[i] ?? 0) + shareOf(tau, dtS) * (load - (fast[i] ?? 0));
    });
    slowLoad += shareOf(SLOW_S, dtS) * (load - slowLoad);
    return fast.reduce((rise, value) => rise + LEAST_RISE_C * (value - slowLoad), 0);
  };

  const filterReading = (readingC: number, dtS: number): number => {
    slowReadingC ??= readingC;
    slowReadingC += shareOf(SLOW_S, dtS) * (readingC - slowReadingC);
    return readingC - slowReadingC;
  };

  const judge = (): boolean => {
    if (blocks.length < WATCHED_S / BLOCK_S) return false;
    const expectedC = rangeOf(blocks.map(({ riseC }) => riseC));
    return expectedC >= CHANGED_C && rangeOf(blocks.map((b) => b.readingC)) < ANSWER * expectedC;
  };

  const startAnew = (): void => {
    stood = null;
    slowReadingC = null;
    blocks = [];
    range = { lowC: Number.POSITIVE_INFINITY, highC: Number.NEGATIVE_INFINITY };
  };

  return {
    update(readingC, load, dtS) {
      if (readingC === null || !Number.isFinite(readingC)) return;
      stillS = readingC === lastC ? stillS + dtS : 0;
      lastC = readingC;
      if (startingS < STARTING_S) {
        startingS += dtS;
        filterLoad(load, dtS);
        slowLoad = fast.at(-1) ?? 0;
        return;
      }
      if (stood !== null) {
        filterLoad(load, dtS);
        if (readingC >= stood.lowC - movedC && readingC <= stood.highC + movedC) return;
        movedC = Math.min(MOST_MOVED_C, 2 * movedC);
        startAnew();
      }
      range = {
        lowC: Math.min(range.lowC, readingC),
        highC: Math.max(range.highC, readingC),
      };
      const riseC = filterLoad(load, dtS);
      const quickC = filterReading(readingC, dtS);
      sum = {
        s: sum.s + dtS,
        riseC: sum.riseC + dtS * riseC,
        readingC: sum.readingC + dtS * quickC,
      };
      if (sum.s < BLOCK_S) return;
      const block = { riseC: sum.riseC / sum.s, readingC: sum.readingC / sum.s };
      sum = { s: 0, riseC: 0, readingC: 0 };
      blocks = [...blocks.slice(1 - WATCHED_S / BLOCK_S), block];
      if (judge()) stood = range;
    },
    get isUnresponsive() {
      return stood !== null;
    },
    get isSuspect() {
      return stillS >= SUSPECT_S;
    },
  };
}

function shareOf(tauS: number, dtS: number): number {
  return 1 - Math.exp(-dtS / tauS);
}

function rangeOf(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}
