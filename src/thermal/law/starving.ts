/**
 * A board that can hardly afford its smallest rung: a degree then decides over whole frames, and
 * what our own load could still do to it is small. Part of the margin is spent before frames are
 * dropped.
 */
export interface Starving {
  /** @param budget and @param floor loads, fraction of a second per second */
  update(budget: number, floor: number, trusted: boolean, dtS: number): void;
  /** 0 (plenty) to 1 (less than the smallest rung needs). */
  readonly value: number;
}

const INTO_S = 60;
const OUT_OF_S = 15;

export function createStarving(): Starving {
  let value = 0;
  return {
    update(budget, floor, trusted, dtS) {
      const now = trusted && floor > 0 ? Math.min(1, Math.max(0, 2 - budget / floor)) : 0;
      const most = dtS / (now > value ? INTO_S : OUT_OF_S);
      value += Math.min(most, Math.max(-most, now - value));
    },
    get value() {
      return value;
    },
  };
}
