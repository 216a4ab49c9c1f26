import { createGovernor } from '../thermal/governor.js';
import type { Rung } from '../thermal/sample.js';
import { logHeader, logLine } from './replay.js';
import { type Move, mixFrames, moveOf, type Pilot } from './run.js';

/**
 * The governors a user can compare on a simulated board: ours, the three that Linux has for cooling
 * devices (with the rungs as their states), and nothing at all. References that know what no
 * governor can know stand beside the benchmarks.
 */
export const GOVERNOR_NAMES = ['mobilenetd', 'step-wise', 'bang-bang', 'ipa', 'none'] as const;
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
  switch (name) {
    case 'mobilenetd':
      return ours(options);
    case 'step-wise':
      return stepWise(options);
    case 'bang-bang':
      return bangBang(options);
    case 'ipa':
      return powerAllocator(options);
    case 'none':
      return (_, sample) => moveOf([[options.ladder.length - 1, sample.requestedFps]]);
  }
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
    return { command, ...d.mix, fps, budget, reason, mode, fault };
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

/**
 * After Linux's bang_bang (drivers/thermal/gov_bang_bang.c): the cheapest rung from the trip point on,
 * the best one again 3 °C below it. A missing reading counts as hot.
 */
function bangBang({ ladder, limitC, marginC }: PilotOptions): Pilot {
  const trip = limitC - marginC;
  let hot = false;
  return (_, sample) => {
    const t = sample.tempC ?? trip + 1;
    hot = t >= trip || (hot && t > trip - 3);
    return moveOf([[hot ? 0 : ladder.length - 1, sample.requestedFps]]);
  };
}

/**
 * After Linux's power_allocator (drivers/thermal/gov_power_allocator.c): PID on the distance to the
 * control temperature around a sustainable power, granted as the most expensive rung within it.
 * Power is the load at the requested rate; k_po = 2·k_pu as the kernel estimates them.
 */
function powerAllocator({ ladder, limitC, marginC }: PilotOptions): Pilot {
  const control = limitC - marginC;
  const sustainable = 0.5;
  const switchOn = control - 10;
  const kOver = sustainable / 10;
  const kUnder = (2 * sustainable) / 10;
  const kIntegral = kOver / 100;
  let integral = 0;
  return (_, sample) => {
    const t = sample.tempC ?? control;
    if (t < switchOn) {
      integral = 0;
      return moveOf([[ladder.length - 1, sample.requestedFps]]);
    }
    const error = control - t;
    if (error < 10) integral = Math.min(50, Math.max(-50, integral + error));
    const power = sustainable + (error < 0 ? kOver : kUnder) * error + kIntegral * integral;
    let rung = 0;
    ladder.forEach((candidate, index) => {
      if ((candidate.costMs * sample.requestedFps) / 1000 <= power) rung = index;
    });
    return moveOf([[rung, sample.requestedFps]]);
  };
}
