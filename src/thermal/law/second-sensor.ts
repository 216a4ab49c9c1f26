import { createAcquaintance } from './acquaintance.js';
import { createSensorCharacter } from './noise.js';
import { createObserver, type Observer } from './observer.js';
import { OFFSET } from './observer-state.js';

/** A second of a sensor elsewhere on the board. */
export interface SecondSample {
  /** °C; null where there is none, or when it cannot be read. */
  readonly otherC: number | null;
  /** Our own load and the others', in units of full inference load. */
  readonly load: number;
  readonly foreignLoad: number;
  /** The first sensor is believed. */
  readonly trusted: boolean;
  /** Seconds for which the first one has not changed. */
  readonly stillS: number;
  readonly dtS: number;
  /** The clock jumped: what was expected is void. */
  readonly jumped: boolean;
}

/**
 * A sensor elsewhere on the board (power chip, disk, radio): while the first one works it is learnt how
 * the same loads warm it. When the first one fails, what no load explains of it is the room, and that warms
 * the processor by as much.
 */
export interface SecondSensor {
  /** Returns how much warmer the surroundings are than a second ago, °C; 0 while the first sensor works. */
  update(s: SecondSample): number;
  /** It tells what the first one does not tell any more, or would. */
  readonly guides: boolean;
}

/** What the loads of the last minutes warm it by, °C per unit load, must be so much: and beyond doubt, in sigmas. */
const LEAST_GAIN_C = 2.5;
const CLEARLY = 1.5;
const COLDEST_C = -30;
const HOTTEST_C = 110;
/** Further from one reading to the next is no heat, °C. */
const JUMP_C = 6;
/** So long it may say nothing, or always the same, and still count, s. */
const SILENT_S = 30;
const STILL_S = 600;
/** What no load explains of it is remembered in steps, for as long as a first sensor may be frozen unseen, s. */
const STEP_S = 10;
const MEMORY_S = 2400;
const SMOOTH_S = 20;

export function createSecondSensor(): SecondSensor {
  return new Companion();
}

class Companion implements SecondSensor {
  readonly #observer = createObserver(undefined, 0, []);
  readonly #character = createSensorCharacter();
  readonly #acquaintance = createAcquaintance();
  #last: number | null = null;
  #silentS = Number.POSITIVE_INFINITY;
  #stillS = 0;
  /** What no load explains of it, smoothed, °C. */
  #restC: number | null = null;
  /** The same, every ten seconds, the oldest first. */
  #rests: number[] = [];
  #sinceStepS = 0;
  /** The same before the first sensor failed; null while that works. */
  #beforeC: number | null = null;
  /** What was told since then, °C. */
  #warmedC = 0;

  get guides(): boolean {
    const speaks = this.#silentS <= SILENT_S && this.#stillS <= STILL_S;
    return speaks && this.#restC !== null && this.#acquaintance.good;
  }

  update(s: SecondSample): number {
    const innovation = this.#read(s);
    this.#acquaintance.update(innovation, answers(this.#observer), s.trusted, s.dtS);
    if (s.trusted) {
      this.#remember(s.dtS);
      this.#beforeC = null;
      this.#warmedC = 0;
      return 0;
    }
    this.#beforeC ??= this.#restBefore(s.stillS);
    return this.#warmed();
  }

  /** Takes the reading; returns what was not expected of it, null where it says nothing. */
  #read({ otherC, load, foreignLoad, trusted, dtS, jumped }: SecondSample): number | null {
    const observer = this.#observer;
    observer.advance(load, foreignLoad, dtS);
    const isSound = otherC !== null && otherC >= COLDEST_C && otherC <= HOTTEST_C;
    const isNear = this.#last === null || Math.abs((otherC ?? 0) - this.#last) <= JUMP_C;
    // Long gone, or elsewhere for long: it begins anew.
    const isNew = jumped || this.#silentS > SILENT_S;
    if (!isSound || !(isNear || isNew)) {
      this.#silentS += dtS;
      return null;
    }
    this.#stillS = otherC === this.#last ? this.#stillS + dtS : 0;
    this.#last = otherC;
    this.#silentS = 0;
    if (isNew) {
      observer.reset(otherC);
      this.#restC = null;
    } else {
      this.#character.update(otherC, observer.fastRise());
    }
    // Without the first sensor nobody says whether it is the loads or the room that warms it.
    const innovation = observer.correct(otherC, this.#character.noiseC, trusted);
    const rest = observer.theta[OFFSET] ?? 0;
    this.#restC ??= rest;
    this.#restC += (rest - this.#restC) * (1 - Math.exp(-dtS / SMOOTH_S));
    return isNew ? null : innovation;
  }

  #remember(dtS: number): void {
    this.#sinceStepS += dtS;
    if (this.#sinceStepS < STEP_S) return;
    this.#sinceStepS = 0;
    if (this.#restC === null) this.#rests = [];
    else this.#rests = [...this.#rests, this.#restC].slice(-MEMORY_S / STEP_S);
  }

  /** What it was when the first sensor still moved: the least since then, for what it learnt later is less sure. */
  #restBefore(stillS: number): number | null {
    const steps = 1 + Math.floor(stillS / STEP_S);
    const since = this.#rests.slice(-steps);
    return since.length === 0 ? this.#restC : Math.min(...since);
  }

  /** Up, and down again; not to less than before the fault, for that one would not see. */
  #warmed(): number {
    if (!this.guides || this.#restC === null || this.#beforeC === null) return 0;
    const warmedC = Math.max(0, this.#restC - this.#beforeC);
    const by = warmedC - this.#warmedC;
    this.#warmedC = warmedC;
    return by;
  }
}

/** The loads of the last minutes (7 and 90 s) warm it: it sits on this board, and not at a window. */
function answers({ theta, covariance }: Observer): boolean {
  const at = (i: number, j: number) => covariance[i]?.[j] ?? 0;
  const gainC = (theta[0] ?? 0) + (theta[1] ?? 0);
  const sigmaC = Math.sqrt(Math.max(0, at(0, 0) + at(1, 1) + 2 * at(0, 1)));
  return gainC >= Math.max(LEAST_GAIN_C, CLEARLY * sigmaC);
}
