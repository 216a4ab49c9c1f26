import { moveOf, type Pilot } from '#mobilenetd/simulator/run.js';
import type { Rung } from '#mobilenetd/thermal/sample.js';
import { commandFor, heatHull } from './oracle.js';

/** Seconds for which the limit must stay avoidable. */
const PLAN_S = 180;
const MARGIN_C = 0.5;
/** Budgets are told apart by this, fraction of a second. */
const CLOSE = 0.002;
/** First step of the search around the budget of a second ago, and how much longer the next ones are. */
const NEAR = 0.01;
const WIDER = 3;

/**
 * Knows the plant and the future. Spends each second the most with which the limit stays avoidable: were
 * nothing more done for three minutes, the die would stay at or below limit − 0.5 °C. The greedy oracle would
 * overheat itself among neighbours that come and go.
 */
export function createPlanner(
  ladder: readonly Rung[],
  limitC: number,
  heat: readonly number[] = [],
): Pilot {
  const hull = heatHull(ladder, heat);
  const enoughC = limitC - MARGIN_C;
  let last = 0;
  return (world, { requestedFps }) => {
    const survives = (budget: number): boolean =>
      world.foresee(commandFor(hull, budget, requestedFps), { restS: PLAN_S, enoughC }) <= enoughC;
    last = largestThat(survives, world.capacity(), last);
    return moveOf(commandFor(hull, last, requestedFps).frames);
  };
}

/** The largest budget from 0 to `most` that survives, looked for around a guess; 0 where none does. */
function largestThat(survives: (budget: number) => boolean, most: number, guess: number): number {
  if (survives(most)) return most;
  let [low, high] = bracket(survives, most, Math.min(guess, most));
  while (high - low > CLOSE) {
    const middle = (low + high) / 2;
    if (survives(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Two budgets around the largest that survives. */
function bracket(
  survives: (budget: number) => boolean,
  most: number,
  guess: number,
): [low: number, high: number] {
  if (survives(guess)) {
    let low = guess;
    for (let step = NEAR; guess + step < most; step *= WIDER) {
      if (!survives(guess + step)) return [low, guess + step];
      low = guess + step;
    }
    return [low, most];
  }
  let high = guess;
  for (let step = NEAR; guess - step > 0; step *= WIDER) {
    if (survives(guess - step)) return [guess - step, high];
    high = guess - step;
  }
  return [0, high];
}
