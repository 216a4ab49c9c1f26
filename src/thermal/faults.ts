import type { SensorFault } from './sample.js';

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
const COAST_S = 5;
const LOST_S = 25;
const CLEAR_S = 5;
/**
 * A new level that agrees with itself is believed after this long. Nothing cools a die by degrees
 * in a second, so a fall is believed only when all else has failed; a return is believed at once.
 */
const NEW_LEVEL_UP_S = 30;
const NEW_LEVEL_DOWN_S = 900;
const NEW_LEVEL_WITHIN_C = 2.5;
const FROZEN_S = 60;
const FROZEN_EARLY_S = 20;
const PROOF_S = 40;
const QUIET_PROOF_S = 25;

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
  let shift: number | null = null;

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
    const early = e.identified ? 3 * e.stepC + 1 : 3 * e.stepC + 4;
    if (stillS >= FROZEN_EARLY_S && moved > early) return true;
    if (stillS < FROZEN_S) return false;
    if (scatteredBefore) return true;
    const proofC = e.noisy ? 1.5 * e.stepC + 0.3 : 2.2 * e.stepC + 0.4;
    return moved > (e.identified ? 1 : 3) * proofC;
  };

  const classify = (e: Evidence): SensorFault | null => {
    const reading = e.readingC;
    if (reading === null || reading === undefined) return 'missing';
    if (!Number.isFinite(reading) || reading < COLDEST_C || reading > HOTTEST_C) return 'range';
    const frozen = watchStill(e, reading);
    if (frozen) changes = 0;
    if (frozen || (fault === 'frozen' && changes < 1)) return 'frozen';
    if (e.contradicted) return 'contradicted';
    if (e.expectedC === null || e.jumped) return null;
    const far = Math.min(MOST_JUMP_C, Math.max(LEAST_JUMP_C, JUMP_SIGMAS * e.sigmaC));
    return Math.abs(reading - e.expectedC) > far ? 'jump' : null;
  };

  /** True when readings that disagree with the model have agreed with each other long enough. */
  const newLevel = (e: Evidence, kind: SensorFault | null): boolean => {
    const reading = e.readingC;
    if (kind !== 'jump' || reading === null || e.expectedC === null) {
      level = null;
      levelS = 0;
      return false;
    }
    const steady = level !== null && Math.abs(reading - level) <= NEW_LEVEL_WITHIN_C;
    levelS = steady ? levelS + e.dtS : 0;
    level = reading;
    const away = reading - e.expectedC;
    const back = shift !== null && Math.abs(away + shift) <= LEAST_JUMP_C;
    const needed = back ? CLEAR_S : away > 0 ? NEW_LEVEL_UP_S : NEW_LEVEL_DOWN_S;
    if (levelS < needed) return false;
    shift = back ? null : away;
    return true;
  };

  return {
    check(e) {
      const kind = classify(e);
      const accepted = newLevel(e, kind);
      if (kind === null || accepted) goodS = accepted ? CLEAR_S : goodS + e.dtS;
      else goodS = 0;
      const wasDoubted = badS > 0;
      if (kind !== null && !accepted) {
        fault = kind;
        const sudden = kind === 'frozen' || kind === 'contradicted' ? LOST_S : 0;
        badS = Math.max(badS + e.dtS, sudden);
      } else if (wasDoubted && (goodS >= CLEAR_S || badS < COAST_S)) {
        const restart = accepted || badS >= COAST_S;
        badS = 0;
        fault = null;
        return { trust: 'good', fault: null, use: true, restart, stillS };
      } else if (wasDoubted) {
        badS += e.dtS;
      }
      if (badS === 0)
        return { trust: 'good', fault: null, use: true, restart: e.expectedC === null, stillS };
      const trust = badS >= LOST_S ? 'lost' : badS >= COAST_S ? 'safe' : 'coasting';
      return { trust, fault, use: false, restart: false, stillS };
    },
  };
}
