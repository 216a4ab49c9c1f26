import type { Rung, Sample } from '../thermal/sample.js';

/** A controller that is compared: it picks the rung for the next second. */
export interface Controller {
  decide(sample: Sample): {
    readonly rung: number;
    readonly fps: number;
    readonly budget?: number;
    readonly mix?: { readonly low: number; readonly high: number; readonly fraction: number };
  };
}

export interface ReferenceOptions {
  readonly ladder: readonly Rung[];
  readonly limitC: number;
  readonly marginC: number;
}

export const REFERENCE_NAMES = ['none', 'bang-bang', 'step-wise', 'ipa'] as const;
export type ReferenceName = (typeof REFERENCE_NAMES)[number];

export function createReference(name: ReferenceName, options: ReferenceOptions): Controller {
  const { ladder } = options;
  const trip = options.limitC - options.marginC;
  if (name === 'bang-bang') return bangBang(ladder.length - 1, trip);
  if (name === 'step-wise') return stepWise(ladder.length - 1, trip);
  if (name === 'ipa') return powerAllocator(ladder, trip);
  return { decide: (sample) => ({ rung: ladder.length - 1, fps: sample.requestedFps }) };
}

function bangBang(top: number, trip: number): Controller {
  let hot = false;
  return {
    decide(sample) {
      const t = sample.tempC ?? trip + 1;
      hot = t >= trip || (hot && t > trip - 3);
      return { rung: hot ? 0 : top, fps: sample.requestedFps };
    },
  };
}

/**
 * Linux's step_wise (drivers/thermal/gov_step_wise.c): at or above the trip point and rising, one
 * step down; below it and falling, one step up; otherwise nothing. Cooling states are the rungs
 * from the top down; polled once a second.
 */
function stepWise(top: number, trip: number): Controller {
  let rung = top;
  let previous: number | null = null;
  return {
    decide(sample) {
      const t = sample.tempC ?? previous ?? trip;
      const trend = previous === null ? 0 : Math.sign(t - previous);
      previous = t;
      if (t >= trip) {
        if (trend > 0) rung -= 1;
      } else if (trend < 0) rung += 1;
      rung = Math.min(top, Math.max(0, rung));
      return { rung, fps: sample.requestedFps };
    },
  };
}

/**
 * After Linux's power_allocator (drivers/thermal/gov_power_allocator.c): PID on the distance to the
 * control temperature around a sustainable power, granted as the most expensive rung within it.
 * Power is the load at the requested rate; k_po = 2·k_pu as the kernel estimates them.
 */
function powerAllocator(ladder: readonly Rung[], control: number): Controller {
  const sustainable = 0.5;
  const switchOn = control - 10;
  const kOver = sustainable / 10;
  const kUnder = (2 * sustainable) / 10;
  const kIntegral = kOver / 100;
  let integral = 0;
  return {
    decide(sample) {
      const t = sample.tempC ?? control;
      const top = ladder.length - 1;
      if (t < switchOn) {
        integral = 0;
        return { rung: top, fps: sample.requestedFps };
      }
      const error = control - t;
      if (error < 10) integral = Math.min(50, Math.max(-50, integral + error));
      const power = sustainable + (error < 0 ? kOver : kUnder) * error + kIntegral * integral;
      let rung = 0;
      ladder.forEach((candidate, index) => {
        if ((candidate.costMs * sample.requestedFps) / 1000 <= power) rung = index;
      });
      return { rung, fps: sample.requestedFps };
    },
  };
}
