import {
  createPilot,
  type GovernorName,
  type PilotOptions,
} from '#mobilenetd/simulator/governors.js';
import type { Pilot } from '#mobilenetd/simulator/run.js';
import { createOracle, floor } from './oracle.js';
import { createPlanner } from './planner.js';

/** The governors ours is compared with, weakest first. */
export const REFERENCE_NAMES = ['none', 'bang-bang', 'step-wise', 'ipa'] as const;
export type ContestantName = GovernorName | 'oracle' | 'planner' | 'floor';

export interface ContestantOptions extends PilotOptions {
  /** Heat of each rung relative to what its cost suggests; only the clairvoyant know. */
  readonly heat?: readonly number[];
}

export function createContestant(name: ContestantName, options: ContestantOptions): Pilot {
  if (name === 'floor') return floor;
  if (name === 'oracle') return createOracle(options.ladder, options.limitC, options.heat);
  if (name === 'planner') return createPlanner(options.ladder, options.limitC, options.heat);
  return createPilot(name, options);
}
