import type { SensorFault } from '../sample.js';

/** How much a sensor is believed: how long it has been in doubt decides. */
export type Trust = 'good' | 'coasting' | 'safe' | 'lost';

export interface Verdict {
  readonly trust: Trust;
  readonly fault: SensorFault | null;
  /** The reading may correct the observer. */
  readonly use: boolean;
  /** The offset must be learned anew from this reading. */
  readonly restart: boolean;
  /** Seconds the reading has not changed at all. */
  readonly stillS: number;
  /** What the sensor is taken to be off by, °C: it fell from one second to the next. */
  readonly biasC: number;
}

export interface Evidence {
  readonly readingC: number | null;
  /** What the model expects, °C; null before the first reading. */
  readonly expectedC: number | null;
  /** One standard deviation of (reading − expected), °C. */
  readonly sigmaC: number;
  /** Temperature the loads of the last minutes explain, °C: what moves it must move the reading. */
  readonly fastRiseC: number;
  /** The gains behind loadRiseC are known well. */
  readonly identified: boolean;
  readonly stepC: number;
  readonly noisy: boolean;
  readonly scattered: boolean;
  /** The firmware throttles because of heat although the reading is far from hot. */
  readonly contradicted: boolean;
  /** It has not answered to half an hour of changing load. */
  readonly unresponsive: boolean;
  /** Time since the last sample, s. */
  readonly dtS: number;
  /** The clock jumped: expectations are void. */
  readonly jumped: boolean;
}

const COLDEST_C = -40;
const HOTTEST_C = 125;
const LEAST_JUMP_C = 6;
const JUMP_SIGMAS = 5;
const MOST_JUMP_C = 12;
/** Change from reading to reading that a die can make, °C and °C a second. */
const LEAST_CHANGE_C = 4;
const FASTEST_C = 3;
const COAST_S = 5;
const LOST_S = 25;
const CLEAR_S = 5;
const MOST_CLEAR_S = 20;
const CLEAR_SHARE = 0.1;
/**
 * A new level that agrees with itself is believed after this long. Nothing cools a die by degrees
 * in a second, so a fall is believed only when all else has failed; a return is believed at once.
 */
const NEW_LEVEL_UP_S = 30;
const NEW_LEVEL_DOWN_S = 900;
/** Below this no working chip is; such a level is never believed. */
const COLDEST_LEVEL_C = 30;
const CHANGES_OF_LIFE = 3;
/** A bias is forgotten at 1 °C an hour. */
const FORGET_C_PER_S = 1 / 3600;
const BACK_SHARE = 0.5;
const NEW_LEVEL_WITHIN_C = 2.5;
const FROZEN_S = 60;
const FROZEN_EARLY_S = 20;
const PROOF_S = 40;
const QUIET_PROOF_S = 25;

/** What is proven is not waited for. */
const SUDDEN: ReadonlySet<SensorFault> = new Set(['frozen', 'contradicted', 'unresponsive']);

export interface FaultDetector {
  check(evidence: Evidence): Verdict;
}

/** Watches the sensor; one call a sample. */
export function createFaultDetector(): FaultDetector {
  return new SensorWatch();
}

class SensorWatch implements FaultDetector {
  readonly #stillness = new Stillness();
  readonly #level = new NewLevel();
  #badS = 0;
  #goodS = 0;
  #fault: SensorFault | null = null;
  /** How far from the model a sensor that fell in one step may read when it is believed again, °C. */
  #fellFarC: number | null = null;

  check(raw: Evidence): Verdict {
    this.#level.forget(raw);
    const { biasC } = this.#level;
    const e = { ...raw, readingC: raw.readingC === null ? null : raw.readingC - biasC };
    const kind = this.#classify(e);
    const level = this.#level.update(e, kind);
    const accepted = level !== 'none';
    if (kind === null || accepted) this.#goodS = accepted ? CLEAR_S : this.#goodS + e.dtS;
    else this.#goodS = 0;
    if (kind !== null && !accepted) {
      this.#fault = kind;
      const sudden = SUDDEN.has(kind) ? LOST_S : 0;
      this.#badS = Math.max(this.#badS + e.dtS, sudden);
    } else if (this.#badS > 0 && this.#isClear(accepted)) {
      const restart = level !== 'carry on' && (accepted || this.#badS >= COAST_S);
      this.#badS = 0;
      this.#fault = null;
      return this.#good(restart);
    } else if (this.#badS > 0 && this.#badS < LOST_S) {
      this.#badS += e.dtS;
    }
    if (this.#badS === 0) return this.#good(e.expectedC === null);
    const trust = this.#badS >= LOST_S ? 'lost' : this.#badS >= COAST_S ? 'safe' : 'coasting';
    return { ...this.#good(false), trust, fault: this.#fault, use: false };
  }

  #good(restart: boolean): Verdict {
    const { stillS } = this.#stillness;
    const { biasC } = this.#level;
    return { trust: 'good', fault: null, use: true, restart, stillS, biasC };
  }

  /** The longer it was wrong, the longer it must be right again: chance values may fit for seconds. */
  #isClear(accepted: boolean): boolean {
    const share = CLEAR_SHARE * this.#badS;
    const clearS = accepted ? 0 : Math.min(MOST_CLEAR_S, Math.max(CLEAR_S, share));
    return this.#goodS >= clearS || this.#badS < COAST_S;
  }

  #classify(e: Evidence): SensorFault | null {
    const reading = e.readingC;
    if (reading === null || reading === undefined) return 'missing';
    if (!Number.isFinite(reading) || reading < COLDEST_C || reading > HOTTEST_C) return 'range';
    const stillness = this.#stillness;
    const changeC = stillness.last === null ? 0 : reading - stillness.last;
    const frozen = stillness.update(e, reading);
    if (e.unresponsive) return 'unresponsive';
    if (frozen || (this.#fault === 'frozen' && stillness.changes < 1)) return 'frozen';
    if (e.contradicted) return 'contradicted';
    if (e.expectedC === null || e.jumped) return null;
    const far = this.#far(e, changeC);
    if (Math.abs(reading - e.expectedC) <= far) return null;
    // Far from the model but where the readings were heading: heat nobody told of, not a fault.
    const isSudden = Math.abs(changeC) > Math.max(LEAST_CHANGE_C, FASTEST_C * e.dtS);
    if (this.#fault === null && !isSudden) return null;
    if (this.#fault === null && reading < e.expectedC) this.#fellFarC = far;
    return 'jump';
  }

  /**
   * How far a reading may be from the model, °C. The model grows vaguer while it runs alone, but a step that
   * was seen does not grow likelier by that: a sensor that fell and goes on from there has the first measure.
   */
  #far({ sigmaC }: Evidence, changeC: number): number {
    if (this.#fault === null || Math.abs(changeC) > NEW_LEVEL_WITHIN_C) this.#fellFarC = null;
    const far = Math.min(MOST_JUMP_C, Math.max(LEAST_JUMP_C, JUMP_SIGMAS * sigmaC));
    return Math.min(far, this.#fellFarC ?? far);
  }
}

/** Whether a reading that does not change is frozen: something should have moved it. */
class Stillness {
  /** The reading before, °C. */
  last: number | null = null;
  /** Seconds it has not changed. */
  stillS = 0;
  /** How often it has changed since it was frozen. */
  changes = 0;
  #rises: { readonly atS: number; readonly riseC: number }[] = [];
  #scatteredBefore = false;

  /** Takes a reading; true when it is frozen. */
  update(e: Evidence, reading: number): boolean {
    if (this.last === null || reading !== this.last) {
      if (this.last !== null) this.changes += 1;
      this.stillS = 0;
      this.#rises = [];
      this.#scatteredBefore = e.scattered;
    } else {
      this.stillS += e.dtS;
    }
    this.last = reading;
    const frozen = this.#isFrozen(e);
    if (frozen) this.changes = 0;
    return frozen;
  }

  #isFrozen(e: Evidence): boolean {
    // Slow heat can make up for slow changes of load, so only the last seconds are proof; the
    // reading of a quiet sensor may hide nearly a step, and as much again by chance.
    const proofS = e.noisy ? PROOF_S : QUIET_PROOF_S;
    this.#rises = this.#rises.filter((rise) => rise.atS > this.stillS - proofS);
    this.#rises.push({ atS: this.stillS, riseC: e.fastRiseC });
    const values = this.#rises.map((rise) => rise.riseC);
    const moved = Math.max(...values) - Math.min(...values);
    const early = e.identified ? 4 * e.stepC + 1.5 : 4 * e.stepC + 4;
    if (this.stillS >= FROZEN_EARLY_S && moved > early) return true;
    if (this.stillS < FROZEN_S) return false;
    if (this.#scatteredBefore) return true;
    const proofC = e.noisy ? 1.5 * e.stepC + 0.3 : 3 * e.stepC + 0.6;
    return moved > (e.identified ? 1 : 3) * proofC;
  }
}

/**
 * What to do about readings that disagree with the model but have agreed with each other for long.
 * A rise is taken as it is. A fall within a second is no cooling: it is taken as a bias, so that
 * the board is believed to be as warm as it was.
 */
class NewLevel {
  /** What the sensor is taken to be off by, °C. */
  biasC = 0;
  #level: number | null = null;
  #levelS = 0;
  #changes = 0;
  /** The step of the level that was accepted last, °C. */
  #shift = 0;

  /** A bias does not outlive a jump of the clock, and goes with time. */
  forget({ jumped, dtS }: Evidence): void {
    if (jumped) this.biasC = 0;
    this.biasC = Math.min(0, this.biasC + FORGET_C_PER_S * dtS);
  }

  update(e: Evidence, kind: SensorFault | null): 'none' | 'restart' | 'carry on' {
    const reading = e.readingC;
    if (kind !== 'jump' || reading === null || e.expectedC === null) {
      this.#level = null;
      this.#levelS = 0;
      this.#changes = 0;
      return 'none';
    }
    const steady = this.#level !== null && Math.abs(reading - this.#level) <= NEW_LEVEL_WITHIN_C;
    this.#levelS = steady ? this.#levelS + e.dtS : 0;
    this.#changes = steady ? this.#changes + (reading === this.#level ? 0 : 1) : 0;
    this.#level = reading;
    const away = reading - e.expectedC;
    if (this.#isBack(away)) {
      if (this.#levelS < CLEAR_S) return 'none';
      this.#shift = 0;
      this.biasC = 0;
      return 'restart';
    }
    if (away > 0) {
      if (this.#levelS < NEW_LEVEL_UP_S) return 'none';
      this.#shift = away;
      return 'restart';
    }
    if (reading + this.biasC < COLDEST_LEVEL_C) return 'none';
    if (this.#levelS < NEW_LEVEL_DOWN_S || this.#changes < CHANGES_OF_LIFE) return 'none';
    this.#shift = away;
    this.biasC += away;
    return 'carry on';
  }

  #isBack(away: number): boolean {
    const shift = this.#shift;
    return (
      shift !== 0 &&
      Math.sign(away) === -Math.sign(shift) &&
      Math.abs(away) >= BACK_SHARE * Math.abs(shift)
    );
  }
}
