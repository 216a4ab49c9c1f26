import {
  createGovernor,
  type Decision,
  type Governor,
  type Sample,
} from '#mobilenetd/thermal/governor.js';
import type { Rung } from '#mobilenetd/thermal/sample.js';

export const LADDER: readonly Rung[] = [
  { name: 'mobilenet_v1_0.25_128', alpha: 0.25, size: 128, accuracy: 39.5, costMs: 2 },
  { name: 'mobilenet_v1_0.5_160', alpha: 0.5, size: 160, accuracy: 57.2, costMs: 6 },
  { name: 'mobilenet_v1_0.75_192', alpha: 0.75, size: 192, accuracy: 66.1, costMs: 16 },
  { name: 'mobilenet_v1_1.0_224', alpha: 1, size: 224, accuracy: 70, costMs: 30 },
];
export const FPS = 30;

export function sampleOf(timeS: number, tempC: number | null, more: Partial<Sample> = {}): Sample {
  return {
    timeS,
    tempC,
    requestedFps: FPS,
    deliveredFps: FPS,
    latencyMs: LADDER[more.rung ?? 0]?.costMs ?? null,
    rung: 0,
    throttledFlags: 0,
    cpuUtil: null,
    ...more,
  };
}

/** A small board of its own, not the simulator's: two first-order parts, readings in 0.5 °C steps. */
export function createDriver(options: { ambientC?: number; dieC?: number; boardC?: number } = {}) {
  const governor = createGovernor({ ladder: LADDER, limitC: 80, requestedFps: FPS });
  return driverOf(governor, options);
}

export function driverOf(
  governor: Governor,
  options: { ambientC?: number; dieC?: number; boardC?: number } = {},
) {
  const base = options.ambientC ?? 45;
  const parts = { die: 0, board: 0 };
  let timeS = 0;
  let last: Decision = governor.decide(sampleOf(0, base, { deliveredFps: 0 }));
  return {
    governor,
    get timeS() {
      return timeS;
    },
    get last() {
      return last;
    },
    tempC: () => base + parts.die + parts.board,
    /**
     * One second; `see` may change what the governor is told. Another program that takes `foreign`
     * of the CPU heats as ours does, and then the utilisation is told.
     */
    step(see: (sample: Sample) => Sample = (sample) => sample, foreign?: number): Decision {
      const load = ((LADDER[last.rung]?.costMs ?? 0) * last.fps) / 1000;
      const total = load + (foreign ?? 0);
      parts.die += ((options.dieC ?? 12) * total - parts.die) / 6;
      parts.board += ((options.boardC ?? 35) * total - parts.board) / 110;
      timeS += 1;
      const reading = Math.round((base + parts.die + parts.board) * 2) / 2;
      last = governor.decide(
        see(
          sampleOf(timeS, reading, {
            rung: last.rung,
            deliveredFps: last.fps,
            cpuUtil: foreign === undefined ? null : Math.min(1, total),
          }),
        ),
      );
      return last;
    },
    run(seconds: number, see?: (sample: Sample) => Sample): Decision {
      for (let i = 0; i < seconds; i += 1) this.step(see);
      return last;
    },
  };
}
