import { createBudgetLaw } from './budget.js';
import { createCorrection } from './correction.js';
import { type ForeignCourse, forecast } from './forecast.js';
import type { Aimed } from './goal.js';
import type { Identification } from './identify.js';
import { isBlind } from './mode.js';
import { createProbe } from './probe.js';
import { sustain } from './sustain.js';

export interface Watched extends Aimed {
  /** The board is too near to the limit. */
  readonly isHot: boolean;
  /** To yield cools nothing down to this load, fraction; Infinity where it cools. */
  readonly inVainFrom: number;
}

export interface Allowed {
  readonly sustainable: number;
  /** Load that may be made, fraction. */
  readonly budget: number;
  /** Heat would allow more than `mostLoad`. */
  readonly savesEnergy: boolean;
  /** The floor is in force. */
  readonly inEmergency: boolean;
  /** Whatever we do, the board is as hot. */
  readonly isFree: boolean;
  /** Factor on it, while a sensor that stands still is probed. */
  readonly dip: number;
}

/** Step 5 of a decision: the load that may be made. */
export interface Allowance {
  /**
   * @param top load of the best rung, fraction
   * @param emergencyRate part of the floor's frames that an emergency leaves
   */
  update(s: Watched, of: { readonly top: number; readonly emergencyRate: number }): Allowed;
  /** An emergency has begun: less than led to it. */
  cutBack(): void;
  /** The budget without what holds it down for the moment, fraction. */
  readonly value: number;
  /** What the neighbours are expected to do. */
  readonly course: ForeignCourse;
}

/** So far below the limit's own goal the cheapest rung is kept although a cooler target is passed, °C. */
const HEADROOM_C = 2;
/** A quiet sensor is probed only when this near to the target, °C. */
const NEAR_C = 10;
/** Part of the budget that is left after an emergency. */
const AFTER_EMERGENCY = 0.8;
/** Part of the floor's frames that is left when nothing else helps. */
const SMALLEST_RATE = 1 / 64;
/** Loads so close are the same, fraction. */
const CLOSE = 0.02;

export function createAllowance(known: Identification): Allowance {
  return new HeatAllowance(known);
}

class HeatAllowance implements Allowance {
  course: ForeignCourse = { load: 0, forS: 1, thenLoad: 0, driftC: 0 };
  readonly #known: Identification;
  readonly #law = createBudgetLaw();
  readonly #correction = createCorrection();
  readonly #probe = createProbe();

  constructor(known: Identification) {
    this.#known = known;
  }

  get value(): number {
    return this.#law.value;
  }

  cutBack(): void {
    this.#law.cap(AFTER_EMERGENCY * this.#law.value);
  }

  update(s: Watched, { top, emergencyRate }: { top: number; emergencyRate: number }): Allowed {
    const { sustainable, viable } = this.#follow(s);
    // Where even the floor would lead to the limit, it is not waited until that shows.
    const least = Math.max(SMALLEST_RATE * s.floor, Math.min(emergencyRate * s.floor, viable));
    const kept = Math.max(this.#law.value, keptAboveTarget(s, viable));
    const allowed = Math.min(kept, this.#unseen(s, sustainable), s.isHot ? least : top);
    const isFree = allowed < top && allowed + CLOSE >= s.inVainFrom;
    const cool = Math.min(top, isFree ? top : allowed);
    const budget = Math.min(cool, s.mostLoad ?? cool);
    return {
      sustainable,
      budget,
      savesEnergy: budget < cool,
      isFree,
      inEmergency: s.isHot && !isFree,
      dip: this.#dip(s),
    };
  }

  /** Moves the budget with what the forecasts say. */
  #follow(s: Watched): { readonly sustainable: number; readonly viable: number } {
    const { observer } = this.#known;
    const { course, sustainable, viable, shift } = sustain(this.#known, s, this.course);
    this.course = course;
    const perMinute = forecast(observer, 60, 0, course).perLoadC;
    const ownLately = observer.own[0] ?? 0;
    const estimate = s.estimateC ?? Number.NaN;
    const held = this.#correction.update(estimate, s.goalC, ownLately, perMinute, s.dtS);
    if (s.trusted) {
      if (!s.isHot) this.#law.shift(shift);
      const may = Math.min(held, sustainable, viable);
      this.#law.next(may, s.dtS, { mayRise: !s.isHot });
    }
    return { sustainable, viable };
  }

  /**
   * The most while the sensor is not believed. The model of a known board is followed down and up, as far as
   * before the fault, and what was sustainable then is not forgotten; on another board it is.
   */
  #unseen(s: Watched, sustainable: number): number {
    const { trust } = s.verdict;
    const goesOn = trust === 'coasting' && !this.#known.neighbours.visited;
    if (trust === 'good' || goesOn) return Number.POSITIVE_INFINITY;
    const most = isBlind(s) ? s.floor / 2 : Math.max(sustainable, s.floor / 2);
    if (!s.acquainted) this.#law.cap(most);
    return most;
  }

  #dip(s: Watched): number {
    if (!s.trusted) return this.#probe.factor;
    const { noisy } = this.#known.character;
    const isNear = (s.estimateC ?? Number.NaN) > s.targetC - NEAR_C;
    const worthIt = noisy || isNear || this.#known.responsiveness.isSuspect;
    const allowed = worthIt && this.#law.value > s.floor * 1.2;
    return this.#probe.update(s.verdict.stillS, { allowed, noisy }, s.dtS);
  }
}

/** Frames are dropped for the limit only: a cooler target costs accuracy down to the cheapest rung. */
function keptAboveTarget(s: Watched, viable: number): number {
  const wished = s.goalC < s.warmestC && !isBlind(s);
  const isFar = (s.estimateC ?? Number.NaN) < s.warmestC - HEADROOM_C;
  return wished && isFar ? Math.min(s.floor, Math.max(0, viable)) : 0;
}
