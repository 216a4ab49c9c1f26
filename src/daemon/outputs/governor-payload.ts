import type { Variant } from '../../models/variant.js';
import type { Decision } from '../../thermal/governor.js';
import type { MeasuredRung } from '../governor/rungs.js';

/** Payload of `<base>/governor`. */
export function governorPayload(
  decision: Decision,
  rungs: readonly MeasuredRung[],
  limit: number,
  simulated: string | null,
): Record<string, unknown> {
  const rung = rungs[decision.mix.high];
  const { low, high, fraction } = decision.mix;
  return {
    time: new Date().toISOString(),
    model: rung?.name ?? null,
    alpha: rung?.alpha ?? null,
    size: rung?.size ?? null,
    mix: { low: rungs[low]?.name, high: rungs[high]?.name, fraction },
    fps: decision.fps,
    temperature: decision.temperatureC,
    target: decision.targetC,
    limit,
    headroom: decision.headroomC,
    budget: decision.budget,
    mode: decision.mode,
    fault: decision.fault,
    simulated,
    board: decision.board,
    reason: decision.reason,
  };
}

/** The same where nothing governs: what runs, and why nobody looks after the heat. */
export function ungovernedPayload(variant: Variant, reason: string): Record<string, unknown> {
  const { name, alpha, size } = variant;
  return {
    time: new Date().toISOString(),
    model: name,
    alpha,
    size,
    mix: { low: name, high: name, fraction: 1 },
    fps: null,
    temperature: null,
    target: null,
    limit: null,
    headroom: null,
    budget: null,
    mode: 'off',
    fault: null,
    simulated: null,
    board: null,
    reason,
  };
}
