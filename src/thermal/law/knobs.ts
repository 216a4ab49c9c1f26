/** What is known of the heat of a knob: of the same processor time, relative to that of the first one. */
export interface KnobHeat {
  readonly factor: number;
  /** One standard deviation of it. */
  readonly error: number;
}

/** What a factor may be, and how well it is known before it is seen. */
const LIMITS = [0.5, 2] as const;
export const FACTOR_SD = 0.25;
/** A factor may wander by so much in ten minutes. */
export const FACTOR_DRIFT = 0.03;
/** A knob that is not used counts as the first one again after so long: then it is tried anew, s. */
export const FORGET_S = 6 * 3600;
/** Less than this of a knob is none, fraction. */
const LEAST = 0.01;
/** Between the first two filters, fraction. */
const CHANGE = 0.03;

export const boundedFactor = (factor: number): number =>
  Math.min(LIMITS[1], Math.max(LIMITS[0], factor));

/** Our own load, filtered by each of the time constants, and by the knobs that it was made with. */
export interface OwnLoad {
  /** As it heats: that of each knob counts by its factor. */
  readonly heats: number[];
  /**
   * @param load all of it, fraction
   * @param byKnob the part of each knob but the first
   * @param shares how far each filter follows
   */
  advance(load: number, byKnob: readonly number[], shares: readonly number[]): void;
  /** Counts the knobs by these factors. */
  weigh(factors: readonly number[]): void;
  /** Whether each knob has lately been used more, or less, than before. */
  changes(): boolean[];
  /** Whether each knob is not in use, and its heat of lately is gone. */
  unused(): boolean[];
  /** °C for a unit of each knob's factor. */
  slopes(gains: readonly number[]): number[];
}

/** @param start the filters' values at first: of what, is not known */
export function createOwnLoad(start: readonly number[], knobs: number): OwnLoad {
  const heats = [...start];
  const first = [...start];
  const filters = Array.from({ length: knobs }, () => start.map(() => 0));
  return {
    heats,
    advance(load, byKnob, shares) {
      const firstLoad = byKnob.reduce((rest, part) => rest - part, load);
      follow(first, firstLoad, shares);
      filters.forEach((filter, knob) => {
        follow(filter, byKnob[knob] ?? 0, shares);
      });
    },
    weigh(factors) {
      first.forEach((load, i) => {
        heats[i] = filters.reduce(
          (sum, filter, knob) => sum + (factors[knob] ?? 1) * (filter[i] ?? 0),
          load,
        );
      });
    },
    changes: () => filters.map(([fast = 0, slow = 0]) => Math.abs(fast - slow) > CHANGE),
    unused: () => filters.map((filter) => filter.every((load) => load < LEAST)),
    slopes: (gains) =>
      filters.map((filter) => filter.reduce((sum, load, i) => sum + (gains[i] ?? 0) * load, 0)),
  };
}

function follow(filter: number[], load: number, shares: readonly number[]): void {
  filter.forEach((value, i) => {
    filter[i] = value + (shares[i] ?? 0) * (load - value);
  });
}

export function isKnobHeat(value: Partial<KnobHeat> | null): boolean {
  const { factor, error } = value ?? {};
  return Number.isFinite(factor) && Number.isFinite(error) && Number(error) >= 0;
}
