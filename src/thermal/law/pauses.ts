/** How long the caller was away at most, lately. */
export interface Pauses {
  update(dtS: number): void;
  /** Seconds, at least 1. */
  readonly longestS: number;
}

/** Seconds in which a second of the longest pause is forgotten. */
const MEMORY_S = 300;

export function createPauses(): Pauses {
  let longestS = 1;
  return {
    update(dtS) {
      longestS = Math.max(1, dtS, longestS - dtS / MEMORY_S);
    },
    get longestS() {
      return longestS;
    },
  };
}
