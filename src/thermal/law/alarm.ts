import type { Known } from './identify.js';

/** What an emergency is judged by, °C. */
export interface AlarmEvidence {
  /** Null: nothing is known. */
  readonly estimateC: number | null;
  /** One standard deviation of the estimate. */
  readonly sigmaC: number;
  /** NaN: the sensor says nothing. */
  readonly readingC: number;
  readonly noiseC: number;
  readonly lineC: number;
  /** The firmware throttles because of heat. */
  readonly heat: boolean;
  /** The reading is out of a sensor's range. */
  readonly nonsense: boolean;
}

/** Standard deviations of a single reading above the line that make an emergency. */
const SIGMAS = 3;
/** What a reading must exceed the model by to be a sudden rise, in parts of that. */
const SUDDEN = 1.5;

/**
 * Step 4: above the line beyond doubt? A noisy sensor must not cry wolf, a sudden rise is believed.
 */
export function judgeAlarm(e: AlarmEvidence): { readonly hot: boolean; readonly cool: boolean } {
  const wide = SIGMAS * e.noiseC;
  const estimate = e.estimateC ?? Number.NaN;
  const hot =
    e.heat ||
    estimate >= e.lineC + e.sigmaC ||
    e.readingC >= e.lineC + wide ||
    (e.readingC >= e.lineC && e.readingC >= estimate + SUDDEN * wide);
  return { hot: hot && !e.nonsense, cool: !e.heat && estimate < e.lineC };
}

/** No load heats a die by more in a second, °C. */
const FASTEST_C = 15;

/** Whether a reading that is doubted says nothing of heat: no sensor, or no die of a known board, does so. */
export function isNonsense(
  s: Pick<Known, 'verdict' | 'unbiasedC' | 'estimateC' | 'acquainted'> & { readonly dtS: number },
): boolean {
  if (s.verdict.fault === null || s.verdict.fault === 'range') return s.verdict.fault === 'range';
  const climbedC = s.unbiasedC - (s.estimateC ?? Number.NaN);
  return s.acquainted && climbedC > FASTEST_C * s.dtS;
}
