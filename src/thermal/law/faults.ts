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
  let badS = 0;
  let goodS = 0;
  let fault: SensorFault | null = null;
  let last: number | null = null;
  let stillS = 0;
  let changes = 0;
  let rises: { readonly atS: number; readonly riseC: number }[] = [];
  let scatteredBefore = false;
  let levelS = 0;
  let level: number | null = null;
  let levelChanges = 0;
  let shift = 0;
  let biasC = 0;

  const watchStill = (e: Evidence, reading: number): boolean => {
    if (last === null || reading !== last) {
      if (last !== null) changes += 1;
      stillS = 0;
      rises = [];
      scatteredBefore = e.scattered;
    } else {
      stillS += e.dtS;
    }
    last = reading;
    // Slow heat can make up for slow changes of load, so only the last seconds are proof; the
    // reading of a quiet sensor may hide nearly a step, and as much again by chance.
    const proofS = e.noisy ? PROOF_S : QUIET_PROOF_S;
    rises = rises.filter((rise) => rise.atS > stillS - proofS);
    rises.push({ atS: stillS, riseC: e.fastRiseC });
    const values = rises.map((rise) => rise.riseC);
    const moved = Math.max(...values) - Math.min(...values);
    const early = e.identified ? 4 * e.stepC + 1.5 : 4 * e.stepC + 4;
    if (stillS >= FROZEN_EARLY_S && moved > early) return true;
    if (stillS < FROZEN_S) return false;
    if (scatteredBefore) return true;
    const proofC = e.noisy ? 1.5 * e.stepC + 0.3 : 3 * e.stepC + 0.6;
    return moved > (e.identified ? 1 : 3) * proofC;
  };

  const classify = (e: Evidence): SensorFault | null => {
    const reading = e.readingC;
    if (reading === null || reading === undefined) return 'missing';
    if (!Number.isFinite(reading) || reading < COLDEST_C || reading > HOTTEST_C) return 'range';
    const changeC = last === null ? 0 : reading - last;
    const frozen = watchStill(e, reading);
    if (frozen) changes = 0;
    if (e.unresponsive) return 'unresponsive';
    if (frozen || (fault === 'frozen' && changes < 1)) return 'frozen';
    if (e.contradicted) return 'contradicted';
    if (e.expectedC === null || e.jumped) return null;
    const far = Math.min(MOST_JUMP_C, Math.max(LEAST_JUMP_C, JUMP_SIGMAS * e.sigmaC));
    if (Math.abs(reading - e.expectedC) <= far) return null;
    // Far from the model but where the readings were heading: heat nobody told of, not a fault.
    return fault !== null || Math.abs(changeC) > Math.max(LEAST_CHANGE_C, FASTEST_C * e.dtS)
      ? 'jump'
      : null;
  };

  /**
   * What to do about readings that disagree with the model but have agreed with each other for long.
   * A rise is taken as it is. A fall within a second is no cooling: it is taken as a bias, so that
   * the board is believed to be as warm as it was.
   */
  const newLevel = (e: Evidence, kind: SensorFault | null): 'none' | 'restart' | 'carry on' => {
    const reading = e.readingC;
    if (kind !== 'jump' || reading === null || e.expectedC === null) {
      level = null;
      levelS = 0;
      levelChanges = 0;
      return 'none';
    }
    const steady = level !== null && Math.abs(reading - level) <= NEW_LEVEL_WITHIN_C;
    levelS = steady ? levelS + e.dtS : 0;
    levelChanges = steady ? levelChanges + (reading === level ? 0 : 1) : 0;
    level = reading;
    const away = reading - e.expectedC;
    const back =
      shift !== 0 &&
      Math.sign(away) === -Math.sign(shift) &&
      Math.abs(away) >= BACK_SHARE * Math.abs(shift);
    if (back) {
      if (levelS < CLEAR_S) return 'none';
      shift = 0;
      biasC = 0;
      return 'restart';
    }
    if (away > 0) {
      if (levelS < NEW_LEVEL_UP_S) return 'none';
      shift = away;
      return 'restart';
    }
    if (reading + biasC < COLDEST_LEVEL_C) return 'none';
    if (levelS < NEW_LEVEL_DOWN_S || levelChanges < CHANGES_OF_LIFE) return 'none';
    shift = away;
    biasC += away;
    return 'carry on';
  };

  return {
    check(raw) {
      if (raw.jumped) biasC = 0;
      biasC = Math.min(0, biasC + FORGET_C_PER_S * raw.dtS);
      const e = { ...raw, readingC: raw.readingC === null ? null : raw.readingC - biasC };
      const kind = classify(e);
      const level = newLevel(e, kind);
      const accepted = level !== 'none';
      if (kind === null || accepted) goodS = accepted ? CLEAR_S : goodS + e.dtS;
      else goodS = 0;
      const wasDoubted = badS > 0;
      // The longer it was wrong, the longer it must be right again: chance values may fit for seconds.
      const clearS = accepted ? 0 : Math.min(MOST_CLEAR_S, Math.max(CLEAR_S, CLEAR_SHARE * badS));
      if (kind !== null && !accepted) {
        fault = kind;
        const sudden = SUDDEN.has(kind) ? LOST_S : 0;
        badS = Math.max(badS + e.dtS, sudden);
      } else if (wasDoubted && (goodS >= clearS || badS < COAST_S)) {
        const restart = level !== 'carry on' && (accepted || badS >= COAST_S);
        badS = 0;
        fault = null;
        return { trust: 'good', fault: null, use: true, restart, stillS, biasC };
      } else if (wasDoubted && badS < LOST_S) {
        badS += e.dtS;
      }
      if (badS === 0) {
        const restart = e.expectedC === null;
        return { trust: 'good', fault: null, use: true, restart, stillS, biasC };
      }
      const trust = badS >= LOST_S ? 'lost' : badS >= COAST_S ? 'safe' : 'coasting';
      return { trust, fault, use: false, restart: false, stillS, biasC };
    },
  };
}
