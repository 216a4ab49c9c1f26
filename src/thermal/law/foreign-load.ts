import type { ForeignForecast } from './forecast.js';

/** Splits CPU utilisation into our share and everybody else's. */
export interface ForeignLoadState {
  /** CPU utilisation of inference that runs all the time, 0 to 1; null until seen. */
  readonly share: number | null;
  /** Means over MEANS_S. */
  readonly means: readonly number[];
}

export interface ForeignLoad {
  /** Takes a second's utilisation (null: unknown) and our own load. Returns the foreign load. */
  update(cpuUtil: number | null, ownLoad: number, dtS: number): number;
  /** A load is expected to go on for as long as it has lasted: near is as now, far as the mean. */
  readonly forecast: ForeignForecast;
  state(): ForeignLoadState;
}

/** Time constants of the means; a quarter of the horizon each is used for. */
const MEANS_S = [4, 8, 15, 30, 60] as const;
const HORIZON_RATIO = 4;
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
  const means = MEANS_S.map((_, i) => restore?.means[i] ?? 0);
  const blend = (load: number, dtS: number): void => {
    MEANS_S.forEach((tau, i) => {
      const before = means[i] ?? 0;
      // What has just begun may heat the die before the mean has noticed: the nearest is quick to rise.
      const share = i === 0 && load > before ? 0.7 : 1 - Math.exp(-dtS / tau);
      means[i] = before + (load - before) * share;
    });
  };
  return {
    update(cpuUtil, ownLoad, dtS) {
      const known = cpuUtil !== null && Number.isFinite(cpuUtil) && cpuUtil >= 0 && cpuUtil <= 1.05;
      if (!known) {
        const usual = means[means.length - 1] ?? 0;
        blend(usual, dtS);
        return usual;
      }
      if (ownLoad >= LEAST_OWN) {
        const seen = Math.min(1, Math.max(0.05, cpuUtil / Math.min(1, ownLoad)));
        if (share === null) share = seen;
        const tau = seen < share ? 8 : 3600;
        share += (seen - share) * (1 - Math.exp(-dtS / tau));
      }
      const mine = (share ?? 1) * Math.min(1, ownLoad);
      const foreign = Math.min(MOST, Math.max(0, cpuUtil - mine - NOISE) / (share ?? 1));
      blend(foreign, dtS);
      return foreign;
    },
    forecast: (aheadS) => {
      let index = MEANS_S.findIndex((tau) => tau * HORIZON_RATIO >= aheadS);
      if (index < 0) index = MEANS_S.length - 1;
      return means[index] ?? 0;
    },
    state: () => ({ share, means: [...means] }),
  };
}

export function isForeignLoadState(value: unknown): value is ForeignLoadState {
  if (typeof value !== 'object' || value === null) return false;
  const s = value as Partial<ForeignLoadState>;
  const share = s.share === null || (Number.isFinite(s.share) && Number(s.share) > 0);
  return (
    share &&
    Array.isArray(s.means) &&
    s.means.length === MEANS_S.length &&
    s.means.every((mean) => Number.isFinite(mean))
  );
}
