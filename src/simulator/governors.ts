import { createGovernor } from '../thermal/governor.js';
import type { Rung } from '../thermal/sample.js';
import { logHeader, logLine } from './replay.js';
import { type Move, mixFrames, moveOf, type Pilot } from './run.js';

/**
 * The governors a user can compare on a simulated board: ours, nothing at all, and what the kernel
 * would do with the same rungs. Other references stand beside the benchmarks.
 */
export const GOVERNOR_NAMES = ['mobilenetd', 'step-wise', 'none'] as const;
export type GovernorName = (typeof GOVERNOR_NAMES)[number];

export interface PilotOptions {
  readonly ladder: readonly Rung[];
  readonly limitC: number;
  readonly requestedFps: number;
  readonly marginC: number;
  /** Draws each second's frames from both rungs; otherwise one rung a second. */
  readonly mixFrames?: boolean;
  /** Takes the governor log (see replay.ts), line by line. */
  readonly log?: (line: string) => void;
}

export function createPilot(name: GovernorName, options: PilotOptions): Pilot {
  if (name === 'mobilenetd') return ours(options);
  if (name === 'step-wise') return stepWise(options);
  const top = options.ladder.length - 1;
  return (_, sample) => moveOf([[top, sample.requestedFps]]);
}

function ours({
  ladder,
  limitC,
  requestedFps,
  marginC,
  mixFrames: mixes,
  log,
}: PilotOptions): Pilot {
  const options = { ladder, limitC, requestedFps, marginC };
  const governor = createGovernor(options);
  log?.(logHeader(options));
  return (_, sample): Move => {
    const d = governor.decide(sample);
    log?.(logLine(sample, d));
    const frames = mixes === true ? mixFrames(d) : [[d.rung, d.fps] as const];
    const { fps, budget, reason, mode, fault } = d;
    const command = { frames };
    return { command, low: d.mix.low, high: d.mix.high, fps, budget, reason, mode, fault };
  };
}

/**
 * Linux's step_wise (drivers/thermal/gov_step_wise.c): at or above the trip point and rising, one
 * step down; below it and falling, one step up; otherwise nothing. Cooling states are the rungs
 * from the top down; polled once a second.
 */
function stepWise({ ladder, limitC, marginC }: PilotOptions): Pilot {
  const top = ladder.length - 1;
  const trip = limitC - marginC;
  let rung = top;
  let previous: number | null = null;
  return (_, sample) => {
    const t = sample.tempC ?? previous ?? trip;
    const trend = previous === null ? 0 : Math.sign(t - previous);
    previous = t;
    if (t >= trip) {
      if (trend > 0) rung -= 1;
    } else if (trend < 0) rung += 1;
    rung = Math.min(top, Math.max(0, rung));
    return moveOf([[rung, sample.requestedFps]]);
  };
}
