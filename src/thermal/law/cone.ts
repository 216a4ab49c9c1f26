import { type ForeignCourse, forecast } from './forecast.js';
import { type Observer, SLOPE_DECAY_S } from './observer.js';
import { SLOPE } from './observer-state.js';

/** What the model expects of a moment ahead, °C. */
export interface ForecastPoint {
  /** Seconds from now. */
  readonly aheadS: number;
  readonly expectedC: number;
  /** Two standard deviations below and above it. */
  readonly lowC: number;
  readonly highC: number;
}

const DEVIATIONS = 2;
/** What is not modelled (sun, wind, a door) moves a board by so much in the square root of a second, °C. */
const WANDER_C = 0.05;

/**
 * The temperature that the identified model expects while our load stays as it is, and how far it may be
 * off: what the gains, the offset and its slope are not known well enough for, and what wanders meanwhile.
 *
 * @param load our own, fraction of each second
 * @param foreign what other programs are expected to take
 * @param noiseC standard deviation of what a reading says, °C
 * @param aheadS moments, seconds from now, each >= 0
 */
export function forecastCone(
  observer: Observer,
  {
    load,
    foreign,
    noiseC,
  }: { readonly load: number; readonly foreign: ForeignCourse; readonly noiseC: number },
  aheadS: readonly number[],
): readonly ForecastPoint[] {
  const slopeVariance = Math.max(0, observer.covariance[SLOPE]?.[SLOPE] ?? 0);
  return aheadS.map((ahead) => {
    const { baseC, perLoadC, sigmaC } = forecast(observer, ahead, load, foreign);
    const expectedC = baseC + load * perLoadC;
    const drift = SLOPE_DECAY_S * (1 - Math.exp(-ahead / SLOPE_DECAY_S));
    const spread =
      DEVIATIONS *
      Math.sqrt(sigmaC ** 2 + noiseC ** 2 + slopeVariance * drift ** 2 + WANDER_C ** 2 * ahead);
    return { aheadS: ahead, expectedC, lowC: expectedC - spread, highC: expectedC + spread };
  });
}
