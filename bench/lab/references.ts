import {
  createPilot,
  type GovernorName,
  type PilotOptions,
} from '#mobilenetd/simulator/governors.js';
import type { Pilot } from '#mobilenetd/simulator/run.js';
import { createOracle, floor } from './oracle.js';

/** The governors ours is compared with, weakest first. */
export const REFERENCE_NAMES = ['none', 'bang-bang', 'step-wise', 'ipa'] as const;
export type ContestantName = GovernorName | 'oracle' | 'floor';

export interface ContestantOptions extends PilotOptions {
  /** Heat of each rung relative to what its cost suggests; only the oracle knows. */
  readonly heat?: readonly number[];
}

export function createContestant(name: ContestantName, options: ContestantOptions): Pilot {
  if (name === 'floor') return floor;
  if (name === 'oracle') return createOracle(options.ladder, options.limitC, options.heat);
  return createPilot(name, options);
}
