/** What a sensor's readings look like: how coarse and how noisy. */
export interface SensorCharacter {
  /** @param explainedC What our own changes of load explain of the reading: they are no noise. */
  update(readingC: number, explainedC: number): void;
  /** One standard deviation of a reading, °C, coarseness included. */
  readonly noiseC: number;
  /** Smallest change seen, °C. */
  readonly stepC: number;
  /** Noise covers the steps: such a sensor changes every few seconds, or it has stopped. */
  readonly noisy: boolean;
  /**
   * Readings scatter over three levels and more: a minute without any change is no chance. (A quiet
   * sensor that flutters between two levels is not meant: it may come to rest on one.)
   */
  readonly scattered: boolean;
}

const DEFAULT_STEP_C = 0.5;
const LEAST_NOISE_C = 0.12;
const MOST_NOISE_C = 1.5;
const WINDOW = 60;
/** Readings in which scatter is looked for, and the share of such windows that makes it a habit. */
const SCATTER_READINGS = 15;
const SCATTER_SHARE = 0.3;
const LEAST_SCATTER_C = 0.35;

/**
 * Second differences see noise but not slow heat: their variance is 6 σ² for white noise. Large
 * ones are jumps, not noise, and are clipped.
 */
export function createSensorCharacter(): SensorCharacter {
  let before: number | null = null;
  let last: number | null = null;
  let lastReading: number | null = null;
  let variance = 0.2 ** 2;
  let step: number | null = null;
  let recent: number[] = [];
  let scatter = 0;
  const noiseC = (): number => {
    const coarse = (step ?? DEFAULT_STEP_C) ** 2 / 12;
    const sd = Math.sqrt(Math.max(variance, Math.min(coarse, 0.1)));
    return Math.min(MOST_NOISE_C, Math.max(LEAST_NOISE_C, sd));
  };
  const stepC = (): number => Math.min(1.2, step ?? DEFAULT_STEP_C);
  const watchScatter = (readingC: number): void => {
    recent = [...recent.slice(1 - SCATTER_READINGS), readingC];
    if (recent.length < SCATTER_READINGS) return;
    const third = Math.floor(SCATTER_READINGS / 3);
    const drift = Math.abs(mean(recent.slice(-third)) - mean(recent.slice(0, third)));
    const range = Math.max(...recent) - Math.min(...recent);
    // What our account of the loads is off by is no scatter, however fine the steps.
    const wide = range > 1.6 * Math.max(LEAST_SCATTER_C, stepC()) && drift < 0.8 * stepC();
    scatter += ((wide ? 1 : 0) - scatter) / WINDOW;
  };
  return {
    update(readingC, explainedC) {
      const rest = readingC - explainedC;
      watchScatter(rest);
      if (lastReading !== null) {
        const change = Math.abs(readingC - lastReading);
        if (change > 0.05 && change < 3) step = step === null ? change : Math.min(step, change);
      }
      lastReading = readingC;
      if (last !== null) {
        if (before !== null) {
          const second = rest - 2 * last + before;
          const sample = Math.min(second * second, 36 * Math.max(variance, 0.04)) / 6;
          variance += (sample - variance) / WINDOW;
        }
      }
      before = last;
      last = rest;
    },
    get noiseC() {
      return noiseC();
    },
    get stepC() {
      return stepC();
    },
    get scattered() {
      return scatter > SCATTER_SHARE;
    },
    get noisy() {
      // What is seen of it: the least that a reading is taken to scatter by is more than a fine step.
      return Math.sqrt(variance) > 0.45 * stepC();
    },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
