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
  /** The CPU is full, and was without us a moment ago: less of ours would cool nothing. */
  readonly yieldsInVain: boolean;
}

/** A CPU this busy is full, as far as two per cent of noise tell. */
const FULL = 0.94;
/** Full for so long, s: one second may be a spike. */
const LASTING_S = 2;
/** With so little of ours the CPU was full without us, fraction of each second. */
const WITHOUT_US = 0.1;
/** What was seen is believed for so long; then we yield once more and look, s. */
const BELIEVED_S = 60;
const BELIEVED_HOT_S = 20;
/** Work of others that makes less heat than this part of ours is cooler, and to yield cools. */
const LEAST_RATIO = 0.8;

export function createFullCpu(): FullCpu {
  let fullS = 0;
  let withoutUsAgoS = Number.POSITIVE_INFINITY;
  let isCooler = false;
  let believedS = BELIEVED_S;
  return {
    update({ use, load, ratio, hot }, dtS) {
      const isFull = use !== null && use >= FULL;
      fullS = isFull ? fullS + dtS : 0;
      withoutUsAgoS = isFull && load <= WITHOUT_US ? 0 : withoutUsAgoS + dtS;
      if (!isFull) withoutUsAgoS = Number.POSITIVE_INFINITY;
      believedS = hot ? BELIEVED_HOT_S : BELIEVED_S;
      isCooler = ratio < LEAST_RATIO;
    },
    get yieldsInVain() {
      return fullS >= LASTING_S && withoutUsAgoS <= believedS && !isCooler;
    },
  };
}
