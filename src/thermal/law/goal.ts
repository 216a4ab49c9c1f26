import { type Aim, aimAt } from './aim.js';
import type { Known } from './identify.js';
import type { CleanSample } from './intake.js';
import { createLead } from './lead.js';
import type { SensorCharacter } from './noise.js';
import { createStarving } from './starving.js';
import { createThrottlePoint } from './throttle-point.js';
import { createTrim } from './trim.js';

/** What is known of a second, and aimed at in it. */
export interface Aimed extends CleanSample, Known, Aim {
  /** Load of the cheapest rung. */
  readonly floor: number;
  /** The budget aims here: the goal, trimmed by what was reached, °C. */
  readonly targetC: number;
  /** The die is so far ahead of the estimate, °C. */
  readonly leadC: number;
}

/** What a goal depends on besides what was seen. */
export interface GoalRules {
  readonly limitC: number;
  readonly marginC: number;
  /** A cooler goal; null where only the limit counts, °C. */
  readonly targetC: number | null;
  readonly floor: number;
  readonly sensor: SensorCharacter;
  /** Extra distance after emergencies, °C. */
  readonly guardC: number;
  /** The budget of a second ago, fraction. */
  readonly budget: number;
  /** Heat is what holds the load down. */
  readonly isLimited: boolean;
}

/** Step 3 of a decision: what to aim at. */
export interface Goal {
  update(
    s: CleanSample & Known,
    rules: GoalRules,
  ): Aim & Pick<Aimed, 'floor' | 'targetC' | 'leadC'>;
  /** Temperature at which this board was seen to throttle below its limit, °C; null: never. */
  readonly throttleC: number | null;
}

export function createGoal(throttleC?: number | null): Goal {
  const throttlePoint = createThrottlePoint(throttleC);
  const starving = createStarving();
  const trim = createTrim();
  const lead = createLead();
  return {
    update(s, { limitC, marginC, targetC, floor, sensor, guardC, budget, isLimited }) {
      const estimate = s.estimateC ?? Number.NaN;
      const { throttled, trusted, dtS } = s;
      const keptC = throttlePoint.update(limitC, { throttled, temperatureC: estimate, dtS });
      starving.update(budget, floor, trusted, dtS);
      const aim = aimAt(keptC, marginC, { sensor, guardC, starving: starving.value, targetC });
      const trimC = trim.update(estimate, aim.goalC, isLimited, dtS);
      return { ...aim, floor, targetC: aim.goalC + trimC, leadC: lead.update(estimate, dtS) };
    },
    get throttleC() {
      return throttlePoint.learnedC;
    },
  };
}
