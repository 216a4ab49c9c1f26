import type { Aim } from './aim.js';
import { type ForeignCourse, sustainableLoad, viableLoad } from './forecast.js';
import type { Identification, Known } from './identify.js';

/** What the forecasts say; loads are fractions. */
export interface Sustained {
  /** What the neighbours are expected to do. */
  readonly course: ForeignCourse;
  readonly sustainable: number;
  /** With more, the worst neighbour seen lately could not be survived. */
  readonly viable: number;
  /** Change of what is sustainable that a neighbour's step explains. */
  readonly shift: number;
}

/** What is known of this second, and aimed at in it. */
export interface Aiming extends Pick<Known, 'estimateC' | 'trusted' | 'acquainted' | 'doubtC'> {
  /** Own load of the last second, fraction. */
  readonly load: number;
  /** Load of the cheapest rung. */
  readonly floor: number;
  /** The budget aims here, °C. */
  readonly targetC: number;
  readonly limitC: Aim['limitC'];
  readonly lineC: Aim['lineC'];
  /** The die is so far ahead of the estimate, °C. */
  readonly leadC: number;
}

/** Standard deviations of the forecast kept off the target. */
const CAUTION = 0.7;
/** The same where no sensor says whether it was right: what a neighbour heats is guessed. */
const UNSEEN_CAUTION = 1.2;
const UNSEEN_GUARD_C = 6;
/** Extra distance while the sensor is in doubt, °C. */
const DOUBT_C = 3;
/** A neighbour that begins now must not bring the forecast nearer to the limit than this, °C. */
const RESERVE_C = 0.8;
/** Nearer than this to the line, even the floor may be too much, °C. */
const HOT_C = 4;

/**
 * What the forecast allows, and with a neighbour's step what it had allowed without.
 *
 * @param before the neighbours' course that was expected a second ago
 */
export function sustain(
  known: Pick<Identification, 'observer' | 'neighbours'>,
  s: Aiming,
  before: ForeignCourse,
): Sustained {
  const { observer, neighbours } = known;
  const course = neighbours.expected();
  if (s.estimateC === null) return { course, sustainable: 0, viable: 0, shift: 0 };
  const byModel = s.trusted || s.acquainted;
  const targetC = s.targetC - s.leadC - (byModel ? s.doubtC : DOUBT_C);
  const isGuessed = neighbours.visited || !s.acquainted;
  const options = s.trusted
    ? { load: s.load, caution: CAUTION }
    : { load: s.load, caution: isGuessed ? UNSEEN_CAUTION : CAUTION, mostGuardC: UNSEEN_GUARD_C };
  const under = (foreign: ForeignCourse) =>
    sustainableLoad(observer, targetC, { ...options, foreign });
  const sustainable = under(course);
  const worst = neighbours.worst();
  const most =
    worst === null ? sustainable : viableLoad(observer, s.limitC - s.leadC - RESERVE_C, worst);
  // A reserve for who is not here costs accuracy; frames only when it is hot.
  const isHot = s.estimateC + s.leadC >= s.lineC - HOT_C;
  return {
    course,
    sustainable,
    viable: isHot ? most : Math.max(most, s.floor),
    shift: neighbours.stepped ? fraction(sustainable) - fraction(under(before)) : 0,
  };
}

function fraction(load: number): number {
  return Math.min(1, Math.max(0, load));
}
