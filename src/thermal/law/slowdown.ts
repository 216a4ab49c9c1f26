/** How much longer a frame takes than measured, beside other programs or at a lower clock. */
export interface Slowdown {
  /** Takes a second's wall time per frame relative to its measured cost; null: unknown. */
  update(seen: number | null): void;
  /** 1: as measured; 0.8 to 4. */
  readonly value: number;
}

const LEAST = 0.8;
const MOST = 4;
/** Slower is believed sooner than faster. */
const SLOWER_SHARE = 0.5;
const FASTER_SHARE = 0.2;

export function createSlowdown(): Slowdown {
  let value = 1;
  return {
    update(seen) {
      if (seen === null) return;
      const bounded = Math.min(MOST, Math.max(LEAST, seen));
      value += (bounded - value) * (bounded > value ? SLOWER_SHARE : FASTER_SHARE);
    },
    get value() {
      return value;
    },
  };
}
