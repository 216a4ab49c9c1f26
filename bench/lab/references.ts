import { createPilot, type PilotOptions } from '#mobilenetd/simulator/governors.js';
import { moveOf, type Pilot } from '#mobilenetd/simulator/run.js';
import { createOracle, floor } from './oracle.js';

/** The governors ours is compared with, weakest first. */
export const REFERENCE_NAMES = ['none', 'bang-bang', 'step-wise', 'ipa'] as const;
export type ReferenceName = (typeof REFERENCE_NAMES)[number];
export type ContestantName = 'mobilenetd' | 'oracle' | 'floor' | ReferenceName;

export interface ContestantOptions extends PilotOptions {
  /** Heat of each rung relative to what its cost suggests; only the oracle knows. */
  readonly heat?: readonly number[];
}

export function createContestant(name: ContestantName, options: ContestantOptions): Pilot {
  const { ladder, limitC, marginC } = options;
  switch (name) {
    case 'oracle':
      return createOracle(ladder, limitC, options.heat);
    case 'floor':
      return floor;
    case 'bang-bang':
      return bangBang(ladder.length - 1, limitC - marginC);
    case 'ipa':
      return powerAllocator(options);
    case 'mobilenetd':
    case 'step-wise':
    case 'none':
      return createPilot(name, options);
  }
}

function bangBang(top: number, trip: number): Pilot {
  let hot = false;
  return (_, sample) => {
    const t = sample.tempC ?? trip + 1;
    hot = t >= trip || (hot && t > trip - 3);
    return moveOf([[hot ? 0 : top, sample.requestedFps]]);
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
