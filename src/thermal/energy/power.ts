/** What a board draws at its supply, W. */
export interface BoardPower {
  /** With nothing to do. */
  readonly idleW: number;
  /** With all cores busy. */
  readonly fullW: number;
}

/**
 * The figures that the simulated boards were fitted with (src/simulator/boards.ts), for whole boards without
 * camera, radio and disks: first guesses, which a sensor or `governor.energy.watts` replaces.
 */
const KNOWN_BOARDS: readonly (readonly [model: RegExp, power: BoardPower])[] = [
  [/Raspberry Pi 3 Model/i, { idleW: 1.9, fullW: 5 }],
  [/Raspberry Pi (?:4 Model|400|Compute Module 4)/i, { idleW: 2.1, fullW: 6.4 }],
  [/Raspberry Pi (?:5|500|Compute Module 5)/i, { idleW: 2.7, fullW: 8 }],
];

/** The power of a board by its device tree's model; null where nothing is known of it. */
export function knownPower(model: string | null): BoardPower | null {
  return KNOWN_BOARDS.find(([known]) => known.test(model ?? ''))?.[1] ?? null;
}

/** What a second tells of the power. */
export interface PowerSample {
  /** Seconds, > 0. */
  readonly dtS: number;
  /** Busy fraction of the whole CPU, 0 to 1. */
  readonly cpuUtil: number;
  /** Power at the supply, W; null where nothing measures it. */
  readonly watts: number | null;
}

/** Seconds over which a measured power is learnt from. */
const MEMORY_S = 900;
/** Variance of the CPU's use from which a slope can be told. */
const LEAST_VARIANCE = 0.002;
/** No board draws less for a busy CPU, nor ten times of what it draws idle, W. */
const LEAST_SLOPE_W = 0.2;
const MOST_SLOPE_W = 60;

/**
 * Power as a straight line over the CPU's use: what was given at first, and from the measured power, where
 * there is one, the line of least squares over the last quarter of an hour.
 */
export class PowerLine {
  #idleW: number;
  #slopeW: number;
  #weight = 0;
  #util = 0;
  #watts = 0;
  #variance = 0;
  #covariance = 0;

  constructor({ idleW, fullW }: BoardPower) {
    this.#idleW = idleW;
    this.#slopeW = Math.max(LEAST_SLOPE_W, fullW - idleW);
  }

  get idleW(): number {
    return this.#idleW;
  }

  /** What a CPU that is busy all the time draws besides, W. */
  get slopeW(): number {
    return this.#slopeW;
  }

  /** Takes a second; returns the power in it, W. */
  take({ dtS, cpuUtil, watts }: PowerSample): number {
    if (watts === null) return this.#idleW + this.#slopeW * cpuUtil;
    this.#learn(dtS, cpuUtil, watts);
    return watts;
  }

  /** Moments of the past with exponential weights: the mean of all at first, then of the memory. */
  #learn(dtS: number, cpuUtil: number, watts: number): void {
    this.#weight = Math.min(MEMORY_S, this.#weight + dtS);
    const share = Math.min(1, dtS / this.#weight);
    const [du, dw] = [cpuUtil - this.#util, watts - this.#watts];
    this.#util += share * du;
    this.#watts += share * dw;
    this.#variance = (1 - share) * (this.#variance + share * du * du);
    this.#covariance = (1 - share) * (this.#covariance + share * du * dw);
    if (this.#variance >= LEAST_VARIANCE) {
      const slope = this.#covariance / this.#variance;
      this.#slopeW = Math.min(MOST_SLOPE_W, Math.max(LEAST_SLOPE_W, slope));
    }
    this.#idleW = Math.max(0, this.#watts - this.#slopeW * this.#util);
  }
}
