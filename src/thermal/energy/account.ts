import { type EnergyPer, type Period, periodOf } from './period.js';
import { type BoardPower, PowerLine } from './power.js';

export interface EnergyBudget {
  /** What the board may draw in a period, Wh, > 0. */
  readonly wattHours: number;
  readonly per: EnergyPer;
  /** Where nothing measures the power; first guess where something does. */
  readonly power: BoardPower;
}

/** What was seen in the last second. */
export interface EnergySample {
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: number;
  /** Seconds since the last sample, > 0. */
  readonly dtS: number;
  /** Busy fraction of the whole CPU, 0 to 1; null when unknown. */
  readonly cpuUtil: number | null;
  /** What this process took of it; null when unknown. */
  readonly ownCpu: number | null;
  /** Fraction of the time that went into inference, 0 to 1. */
  readonly busy: number;
  /** Power at the supply, W; null where nothing measures it. */
  readonly watts: number | null;
}

export interface EnergyState {
  /** Drawn in this period, Wh; a whole board, not inference alone. */
  readonly usedWh: number;
  readonly budgetWh: number;
  readonly per: EnergyPer;
  /** Power now, W. */
  readonly watts: number;
  readonly isMeasured: boolean;
  /** Mean power that is left until the period ends, W; negative when more was used than there was. */
  readonly allowedW: number;
  /** Load that inference may make for that, fraction of each second, 0 to 1. */
  readonly mostLoad: number;
  /** Even without any inference the board draws more than is left. */
  readonly isTooLittle: boolean;
}

/** What outlives a restart. JSON-safe. */
export interface EnergyRecord {
  readonly startMs: number;
  readonly savedMs: number;
  readonly usedWh: number;
}

const SECONDS_PER_HOUR = 3600;
/** What is left is spread over this at least: the last minutes of a period shall not swing, s. */
const LEAST_AHEAD_S = 60;
/** Memory of our CPU for each second of inference, s. */
const SMOOTH_S = 60;
/**
 * Memory of what the others take: two hours, and less towards the period's end. Energy adds up: a neighbour that
 * comes and goes is missing in the sum, and need not be made up for while it is here.
 */
const FOREIGN_MOST_S = 7200;
const FOREIGN_LEAST_S = 120;
const FOREIGN_PER_LEFT = 0.25;
const NOTABLE_LOAD = 0.05;

/**
 * Keeps the books of an energy budget and says which load of inference leads to its end at the end of the
 * period. Accuracy is a concave function of the load, so the even load is the best one: what a quiet night
 * leaves over is spread over the rest of the day, and what other programs take is missing in all of it.
 */
export class EnergyAccount {
  readonly #budget: EnergyBudget;
  readonly #line: PowerLine;
  #period: Period;
  #usedWh = 0;
  #foreignUtil = 0;
  #foreignS = 0;
  /** Share of the CPU that a full second of inference takes. */
  #cpuPerLoad = 1;

  /**
   * @param nowMs wall clock, milliseconds since the epoch
   * @param record of an earlier life in this period, since when the board counts as idle; without one, what has
   *   passed of the period counts as spent evenly
   */
  constructor(budget: EnergyBudget, nowMs: number, record: EnergyRecord | null = null) {
    this.#budget = budget;
    this.#line = new PowerLine(budget.power);
    this.#period = periodOf(nowMs, budget.per);
    if (record === null || record.startMs !== this.#period.startMs) {
      this.#usedWh = budget.wattHours * this.#passed(nowMs);
      return;
    }
    const awayS = Math.max(0, (nowMs - record.savedMs) / 1000);
    this.#usedWh = Math.max(0, record.usedWh) + (this.#line.idleW * awayS) / SECONDS_PER_HOUR;
  }

  take(sample: EnergySample): EnergyState {
    const { nowMs, dtS, watts } = sample;
    const cpuUtil = sample.cpuUtil ?? sample.busy;
    if (nowMs < this.#period.startMs || nowMs >= this.#period.endMs) {
      this.#period = periodOf(nowMs, this.#budget.per);
      this.#usedWh = 0;
    }
    const drawnW = this.#line.take({ dtS, cpuUtil, watts });
    this.#usedWh += (drawnW * dtS) / SECONDS_PER_HOUR;
    this.#learnShares(sample, cpuUtil);
    const leftWh = this.#budget.wattHours - this.#usedWh;
    const aheadS = Math.max(LEAST_AHEAD_S, this.#leftS(nowMs));
    const allowedW = (leftWh * SECONDS_PER_HOUR) / aheadS;
    const oursW = allowedW - this.#line.idleW - this.#line.slopeW * this.#foreignUtil;
    return {
      usedWh: this.#usedWh,
      budgetWh: this.#budget.wattHours,
      per: this.#budget.per,
      watts: drawnW,
      isMeasured: watts !== null,
      allowedW,
      mostLoad: Math.min(1, Math.max(0, oursW / (this.#line.slopeW * this.#cpuPerLoad))),
      isTooLittle: oursW <= 0,
    };
  }

  record(nowMs: number): EnergyRecord {
    return { startMs: this.#period.startMs, savedMs: nowMs, usedWh: this.#usedWh };
  }

  /** Share of the period that has passed, 0 to 1. */
  #passed(nowMs: number): number {
    const { startMs, endMs } = this.#period;
    return (nowMs - startMs) / (endMs - startMs);
  }

  /** Seconds until the period ends. */
  #leftS(nowMs: number): number {
    return (this.#period.endMs - nowMs) / 1000;
  }

  #learnShares({ nowMs, dtS, ownCpu, busy }: EnergySample, cpuUtil: number): void {
    const share = 1 - Math.exp(-dtS / SMOOTH_S);
    if (ownCpu !== null && busy > NOTABLE_LOAD) {
      const perLoad = Math.min(1, Math.max(NOTABLE_LOAD, ownCpu / busy));
      this.#cpuPerLoad += share * (perLoad - this.#cpuPerLoad);
    }
    const own = ownCpu ?? busy * this.#cpuPerLoad;
    const memoryS = Math.max(FOREIGN_LEAST_S, FOREIGN_PER_LEFT * this.#leftS(nowMs));
    this.#foreignS = Math.min(FOREIGN_MOST_S, memoryS, this.#foreignS + dtS);
    const foreign = Math.max(0, cpuUtil - own);
    this.#foreignUtil += Math.min(1, dtS / this.#foreignS) * (foreign - this.#foreignUtil);
  }
}
