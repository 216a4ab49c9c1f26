import { bounded } from './options.js';
import type { Rung, Sample } from './sample.js';

/** A sample made safe: every number finite and in range. */
export interface CleanSample {
  /** Seconds since the last sample, > 0. */
  readonly dtS: number;
  /** The clock went backwards or stood far apart: what was expected is void. */
  readonly jumped: boolean;
  /** As given: the fault detector judges it. */
  readonly readingC: number | null;
  readonly requestedFps: number;
  readonly rung: number;
  /** Own load of the last second, fraction. */
  readonly load: number;
  /** Wall time per frame relative to the rung's cost; null when unknown. */
  readonly slowdown: number | null;
  readonly cpuUtil: number | null;
  readonly flags: number | null;
}

const JUMP_S = 15;
const LONGEST_S = 7 * 24 * 3600;

export interface Intake {
  take(sample: Sample): CleanSample;
}

export function createIntake(ladder: () => readonly Rung[], requestedFps: number): Intake {
  let timeS: number | null = null;
  let requested = requestedFps;
  let rung = 0;
  return {
    take(raw) {
      const sample = (raw ?? {}) as Partial<Sample>;
      const now =
        typeof sample.timeS === 'number' && Number.isFinite(sample.timeS) ? sample.timeS : null;
      const passed = now === null || timeS === null ? 1 : now - timeS;
      const jumped = passed <= 0 || passed > JUMP_S;
      const dtS = passed <= 0 ? 1 : Math.min(passed, LONGEST_S);
      if (now !== null) timeS = now;
      requested = bounded(sample.requestedFps, 0, 1000, requested);
      rung = Math.round(bounded(sample.rung, 0, ladder().length - 1, rung));
      const cost = ladder()[rung]?.costMs ?? 0;
      const delivered = bounded(sample.deliveredFps, 0, 1000, requested);
      const byFrames = Math.min(1, (delivered * cost) / 1000);
      const latency = bounded(sample.latencyMs, 0, 60_000, 0);
      return {
        dtS,
        jumped: jumped && timeS !== null,
        readingC: typeof sample.tempC === 'number' ? sample.tempC : null,
        requestedFps: requested,
        rung,
        load: bounded(sample.busy, 0, 1, byFrames),
        slowdown: latency > 0 && cost > 0 && delivered > 0 ? latency / cost : null,
        cpuUtil: typeof sample.cpuUtil === 'number' ? sample.cpuUtil : null,
        flags: typeof sample.throttledFlags === 'number' ? sample.throttledFlags : null,
      };
    },
  };
}
