import type { Variant } from '../models/variant.js';
import type { MeasuredWay } from '../profile/ways.js';
import type { EnergyState } from '../thermal/energy/account.js';
import type { Decision, Rung } from '../thermal/governor.js';

/** A rung of the governor's ladder and the variant it stands for. */
export interface MeasuredRung extends Rung {
  /** In the form, and with the threads, that are fastest. */
  readonly variant: Variant;
  /** The ways to run it, the fastest first; absent: one. */
  readonly ways?: readonly MeasuredWay[];
}

/** The variant that a rung is run as, in one of its ways. */
export function variantOf(rung: MeasuredRung | undefined, way: number): Variant | undefined {
  return rung?.ways?.[way]?.variant ?? rung?.variant;
}

/** What the governor decided last, or why there is none. */
export type GovernorState =
  | {
      readonly governs: true;
      readonly decision: Decision;
      /** By rising cost; the decision's mix names two of them by index. */
      readonly rungs: readonly MeasuredRung[];
      /** Temperature never to reach, °C. */
      readonly limitC: number;
      /** The energy budget's books; null without one. */
      readonly energy: EnergyState | null;
      /** Name of the simulated board; null on a real one. */
      readonly simulated: string | null;
    }
  | {
      readonly governs: false;
      /** What runs all the time. */
      readonly variant: Variant;
      readonly reason: string;
    };

/**
 * Fraction of each second that may be spent in inference in all: what is decided on, and what a
 * sustainable load leaves over. Null while it is too hot for more than the floor.
 */
export function budgetOf(state: GovernorState | null): number | null {
  if (state?.governs !== true) return 1;
  const { mode, budget, headroomBudget } = state.decision;
  return mode === 'emergency' ? null : Math.min(1, budget + headroomBudget);
}
