import type { EnergyState } from '../../thermal/energy/account.js';
import type { Context } from '../context.js';
import type { GovernorState } from '../governor-state.js';
import type { StopOutput } from './output.js';
import { hundredth, tenth, thousandth } from './rounding.js';

/** Publishes `<base>/governor`: what was decided last, or why nothing governs. */
export function startDecisions({
  clock,
  signals,
  governor,
  messaging,
}: Pick<Context, 'clock' | 'signals' | 'governor' | 'messaging'>): StopOutput {
  const publish = (state: GovernorState) =>
    messaging.publisher.setGovernor(governorPayload(state, clock.wall()));
  const state = governor.state();
  if (state !== null) publish(state);
  return signals.on('decision', publish);
}

/** Payload of `<base>/governor`; `now`: milliseconds since 1970. */
export function governorPayload(state: GovernorState, now: number): Record<string, unknown> {
  const time = new Date(now).toISOString();
  return { time, ...(state.governs ? governedPayload(state) : ungovernedPayload(state)) };
}

function governedPayload({
  decision,
  rungs,
  limitC: limit,
  energy,
  simulated,
}: Extract<GovernorState, { governs: true }>): Record<string, unknown> {
  const rung = rungs[decision.mix.high];
  const { low, high, fraction } = decision.mix;
  return {
    model: rung?.name ?? null,
    alpha: rung?.alpha ?? null,
    size: rung?.size ?? null,
    mix: { low: rungs[low]?.name, high: rungs[high]?.name, fraction: thousandth(fraction) },
    threads: rungs[high]?.ways?.[decision.ways.high]?.threads ?? null,
    fps: tenth(decision.fps),
    temperature: tenth(decision.temperatureC),
    target: tenth(decision.targetC),
    limit,
    headroom: tenth(decision.headroomC),
    budget: thousandth(decision.budget),
    mode: decision.mode,
    fault: decision.fault,
    relies_on: decision.reliesOn,
    energy: energyPayload(energy),
    simulated,
    board: decision.board,
    reason: decision.reason,
  };
}

/** What was drawn and what is left; W and Wh of the whole board. */
export function energyPayload(energy: EnergyState | null): object | null {
  if (energy === null) return null;
  return {
    used_wh: hundredth(energy.usedWh),
    budget_wh: energy.budgetWh,
    per: energy.per,
    watts: hundredth(energy.watts),
    measured: energy.isMeasured,
    allowed_watts: hundredth(Math.max(0, energy.allowedW)),
  };
}

/** The payload where nothing governs: what runs, and why nobody looks after the heat. */
function ungovernedPayload({
  variant: { name, alpha, size },
  reason,
}: Extract<GovernorState, { governs: false }>): Record<string, unknown> {
  return {
    model: name,
    alpha,
    size,
    mix: { low: name, high: name, fraction: 1 },
    threads: null,
    fps: null,
    temperature: null,
    target: null,
    limit: null,
    headroom: null,
    budget: null,
    mode: 'off',
    fault: null,
    energy: null,
    simulated: null,
    board: null,
    reason,
  };
}
