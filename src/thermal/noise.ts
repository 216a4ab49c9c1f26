/** What a sensor's readings look like: how coarse and how noisy. */
export interface SensorCharacter {
  update(readingC: number): void;
  /** One standard deviation of a reading, °C, coarseness included. */
  readonly noiseC: number;
  /** Smallest change seen, °C. */
  readonly stepC: number;
  /** Noise covers the steps: such a sensor changes every few seconds, or it has stopped. */
  readonly noisy: boolean;
}

const DEFAULT_STEP_C = 0.5;
const LEAST_NOISE_C = 0.12;
const MOST_NOISE_C = 1.5;
const WINDOW = 60;

/**
 * Second differences see noise but not slow heat: their variance is 6 σ² for white noise. Large
 * ones are jumps, not noise, and are clipped.
 */
export function createSensorCharacter(): SensorCharacter {
  let before: number | null = null;
  let last: number | null = null;
  let variance = 0.2 ** 2;
  let step: number | null = null;
  const noiseC = (): number => {
    const coarse = (step ?? DEFAULT_STEP_C) ** 2 / 12;
    const sd = Math.sqrt(Math.max(variance, Math.min(coarse, 0.1)));
    return Math.min(MOST_NOISE_C, Math.max(LEAST_NOISE_C, sd));
  };
  const stepC = (): number => Math.min(1.2, step ?? DEFAULT_STEP_C);
  return {
    update(readingC) {
      if (last !== null) {
        const change = Math.abs(readingC - last);
        if (change > 0.05 && change < 3) step = step === null ? change : Math.min(step, change);
        if (before !== null) {
          const second = readingC - 2 * last + before;
          const sample = Math.min(second * second, 36 * Math.max(variance, 0.04)) / 6;
          variance += (sample - variance) / WINDOW;
        }
      }
      before = last;
      last = readingC;
    },
    get noiseC() {
      return noiseC();
    },
    get stepC() {
      return stepC();
    },
    get noisy() {
      return noiseC() > 0.45 * stepC();
    },
  };
}
