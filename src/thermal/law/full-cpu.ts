/**
 * Whether yielding cools. Beside a program that takes all that is left, the CPU is busy whatever we do, and the
 * board as hot: what we give up is accuracy alone.
 */
export interface FullCpu {
  /**
   * @param use of the whole CPU, 0 to 1; null: not known
   * @param load our own, fraction of each second
   * @param ratio heat of others' work relative to ours on the same share of the CPU
   * @param hot an emergency is in force: what was seen is doubted sooner
   */
  update(
    seen: {
      readonly use: number | null;
      readonly load: number;
      readonly ratio: number;
      readonly hot: boolean;
    },
    dtS: number,
  ): void;
  /**
   * The CPU is full, and was a moment ago with so little of ours, fraction of each second: less than we do,
   * down to this, would cool nothing. Infinity where yielding cools.
   */
  readonly inVainFrom: number;
}

/** A CPU this busy is full: clipped noise of two per cent leaves a mean of 0.99. */
const FULL = 0.97;
const MEAN_S = 2;
/** What was seen is believed for so long; then we yield once more and look, s. */
const BELIEVED_S = 60;
const BELIEVED_HOT_S = 20;
/** Work of others that makes less heat than this part of ours is cooler, and to yield cools. */
const LEAST_RATIO = 0.8;

export function createFullCpu(): FullCpu {
  let mean = 0;
  let isCooler = false;
  let least = Number.POSITIVE_INFINITY;
  let agoS = 0;
  return {
    update({ use, load, ratio, hot }, dtS) {
      mean = use === null ? 0 : mean + (use - mean) * (1 - Math.exp(-dtS / MEAN_S));
      isCooler = ratio < LEAST_RATIO;
      agoS += dtS;
      const isOld = agoS > (hot ? BELIEVED_HOT_S : BELIEVED_S);
      if (mean < FULL || isOld) least = Number.POSITIVE_INFINITY;
      if (mean < FULL || load > least) return;
      least = load;
      agoS = 0;
    },
    get inVainFrom() {
      return isCooler ? Number.POSITIVE_INFINITY : least;
    },
  };
}
