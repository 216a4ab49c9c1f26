/** One way to run a network: with so many threads, in one numeric form. */
export interface Way {
  readonly threads: number;
  /** Wall time of one frame, ms, > 0. */
  readonly costMs: number;
  /** Processor time of one frame, all threads, ms, > 0. */
  readonly cpuMs: number;
  /** What heats in its own manner: ways of one knob heat alike for the same processor time. */
  readonly knob: string;
}

/** One network of the ladder: what it costs on this board and how often it is right. */
export interface Rung {
  readonly name: string;
  /** Width multiplier; null where the family has none. */
  readonly alpha: number | null;
  /** Side of the input, pixels. */
  readonly size: number;
  /** Top-1 (or mean average precision), percent or fraction: only ratios and differences matter. */
  readonly accuracy: number;
  /** Wall time of one frame measured on this board, ms, > 0. */
  readonly costMs: number;
  /** The ways to run it, the fastest first, whose wall time is `costMs`; absent: one. */
  readonly ways?: readonly Way[];
}

/**
 * What a caller may know besides, with the range of each: what is missing, no number or outside its range
 * reaches the law as null.
 */
export const INPUTS = {
  /**
   * What this process took of the whole CPU. Without it, it is estimated from the utilisation that goes
   * with our own load.
   */
  ownCpu: { min: 0, max: 1 },
  /** The most load that something other than heat leaves (an energy budget), fraction of each second. */
  mostLoad: { min: 0, max: 1 },
  /**
   * Load of a second network, in the mean: fraction of each second. It is part of `busy`, and the ladder has
   * what it leaves of the budget.
   */
  secondLoad: { min: 0, max: 1 },
  /** Temperature elsewhere on the board (power chip, disk, radio), °C: stands in for the room in a fault. */
  otherC: { min: -40, max: 125 },
  /**
   * Clock of the CPU relative to the highest it can have. Slower than it was under as much load tells of heat
   * where the sensor does not and no flags are there to read.
   */
  clock: { min: 0, max: 1 },
} as const;

export type Inputs = { readonly [Name in keyof typeof INPUTS]: number | null };

/** What was seen in the last second. Anything may be missing or wrong: the governor checks it. */
export interface Sample extends Partial<Inputs> {
  /** Monotonic time, s. */
  readonly timeS: number;
  /** CPU temperature, °C; null when it could not be read. */
  readonly tempC: number | null;
  /** Frames a second the cameras ask for. */
  readonly requestedFps: number;
  readonly deliveredFps: number;
  /** Mean wall time of a frame in the last second, ms; null when there was none. */
  readonly latencyMs: number | null;
  /** Index in the ladder of the rung used in the last second. */
  readonly rung: number;
  /** Raspberry Pi firmware bits (see throttle-flags.ts); null when there are none to read. */
  readonly throttledFlags: number | null;
  /** Busy fraction of the whole CPU, 0 to 1; null when unknown. */
  readonly cpuUtil: number | null;
  /**
   * Fraction of the last second spent in inference, 0 to 1. A caller that mixes rungs frame by
   * frame gives it; without it, it is deliveredFps · costMs of `rung`.
   */
  readonly busy?: number | null;
}

/** Frames are drawn from two rungs: `fraction` of them (0 to 1) from `high`, the rest from `low`. */
export interface Mix {
  readonly low: number;
  readonly high: number;
  readonly fraction: number;
}

export type GovernorMode =
  /** Nothing is in the way: the best rung at the requested rate. */
  | 'full'
  /** The budget limits the rung. */
  | 'limited'
  /** Too hot, or the firmware throttles: the floor. */
  | 'emergency'
  /** The sensor is not believed for a few seconds: the model alone decides. */
  | 'coasting'
  /** The sensor is not believed any more. */
  | 'fault';

export type SensorFault =
  | 'missing'
  | 'range'
  | 'jump'
  | 'frozen'
  | 'contradicted'
  /** It has not answered to half an hour of changing load: it is no sensor of this processor. */
  | 'unresponsive';

/** What the temperature is taken from. */
export type Reliance = 'sensor' | 'model' | 'model and second sensor' | 'nothing';

/** What the governor knows about the board. */
export interface IdentifiedBoard {
  /** Rise after a long time under full inference load, °C per unit load, by time constant. */
  readonly gainC: readonly number[];
  readonly timeConstantsS: readonly number[];
  /** One standard deviation of the sum of `gainC`. */
  readonly gainErrorC: number;
  /** Heat of a foreign CPU load relative to inference taking the same share of the CPU. */
  readonly foreignRatio: number;
  /** Heat of the same processor time with each knob, relative to the busiest one's; learnt. */
  readonly knobs: Readonly<Record<string, number>>;
}

export interface Decision {
  /** Ladder index for the next second, for a caller that cannot mix frame by frame. */
  readonly rung: number;
  /** Frames a second to process, ≤ requested. */
  readonly fps: number;
  readonly mix: Mix;
  /** The way in which the rungs of the mix are run: index in their `ways`, 0 where there are none. */
  readonly ways: Pick<Mix, 'low' | 'high'>;
  /** A sentence for people. */
  readonly reason: string;
  readonly mode: GovernorMode;
  readonly fault: SensorFault | null;
  readonly reliesOn: Reliance;
  /** Fraction of each second that may be spent in inference, 0 to 1. */
  readonly budget: number;
  /** Temperature the budget aims at, °C. */
  readonly targetC: number;
  /** The filtered temperature, °C; null while nothing is known. */
  readonly temperatureC: number | null;
  /** °C to the limit; null while nothing is known. */
  readonly headroomC: number | null;
  /** The budget a sustainable load leaves over (0 to 1). */
  readonly headroomBudget: number;
  /** What holds the load down is the sample's `mostLoad`, not heat. */
  readonly savesEnergy: boolean;
  /** The supply is too weak (bit 0): a power problem, not heat. */
  readonly undervoltage: boolean;
  readonly board: IdentifiedBoard;
}
