import type { ForeignForecast } from './forecast.js';

/** Splits CPU utilisation into our share and everybody else's. */
export interface ForeignLoadState {
  /** CPU utilisation of inference that runs all the time, 0 to 1; null until seen. */
  readonly share: number | null;
  readonly fast: number;
  readonly slow: number;
}

export interface ForeignLoad {
  /** Takes a second's utilisation (null: unknown) and our own load. Returns the foreign load. */
  update(cpuUtil: number | null, ownLoad: number, dtS: number): number;
  /** Near: as now. Far: as the mean of the last minutes, so that a passing load passes. */
  readonly forecast: ForeignForecast;
  state(): ForeignLoadState;
}

const FAST_S = 2;
const SLOW_S = 60;
const NEAR_S = 30;
/** Own load below which its share of the CPU cannot be told. */
const LEAST_OWN = 0.1;
const NOISE = 0.02;
const MOST = 4;

/**
 * Foreign load is counted in units of full inference load: what takes the same share of the CPU is
 * taken to make the same heat (the observer learns the ratio). The share itself is the lower
 * envelope of utilisation per own load: down in seconds, up over an hour.
 */
export function createForeignLoad(restore?: ForeignLoadState): ForeignLoad {
  let share = restore?.share ?? null;
  let fast = restore?.fast ?? 0;
  let slow = restore?.slow ?? 0;
  return {
    update(cpuUtil, ownLoad, dtS) {
      const known = cpuUtil !== null && Number.isFinite(cpuUtil) && cpuUtil >= 0 && cpuUtil <= 1.05;
      if (!known) {
        fast += (slow - fast) * (1 - Math.exp(-dtS / SLOW_S));
        return fast;
      }
      if (ownLoad >= LEAST_OWN) {
        const seen = Math.min(1, Math.max(0.05, cpuUtil / Math.min(1, ownLoad)));
        if (share === null) share = seen;
        const tau = seen < share ? 8 : 3600;
        share += (seen - share) * (1 - Math.exp(-dtS / tau));
      }
      const mine = (share ?? 1) * Math.min(1, ownLoad);
      const foreign = Math.min(MOST, Math.max(0, cpuUtil - mine - NOISE) / (share ?? 1));
      fast += (foreign - fast) * (1 - Math.exp(-dtS / FAST_S));
      slow += (foreign - slow) * (1 - Math.exp(-dtS / SLOW_S));
      return foreign;
    },
    forecast: (aheadS) => {
      const near = aheadS <= NEAR_S ? 1 : Math.exp(-(aheadS - NEAR_S) / SLOW_S);
      return Math.max(0, slow + (fast - slow) * near);
    },
    state: () => ({ share, fast, slow }),
  };
}

export function isForeignLoadState(value: unknown): value is ForeignLoadState {
  if (typeof value !== 'object' || value === null) return false;
  const s = value as Partial<ForeignLoadState>;
  const share = s.share === null || (Number.isFinite(s.share) && Number(s.share) > 0);
  return share && Number.isFinite(s.fast) && Number.isFinite(s.slow);
}
