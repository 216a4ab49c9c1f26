/**
 * The budget's course: down at once, up slowly. It may not pass the least that was sustainable in
 * the last 40 seconds, so that noise makes no swing. What a neighbour takes or leaves moves all of
 * this at once (`shift`).
 */
export interface BudgetLaw {
  /** Takes the load sustainable now (fraction) and returns the budget. */
  next(sustainable: number, dtS: number, options: { readonly mayRise: boolean }): number;
  /** What is sustainable has changed by so much for a known reason: it is followed at once. */
  shift(by: number): void;
  /** Caps the budget without remembering it (emergency, fault, probe). */
  cap(most: number): void;
  readonly value: number;
}

/** Slots of the memory: HOLD_SLOTS · SLOT_S seconds. */
const SLOT_S = 10;
const HOLD_SLOTS = 4;
/** Time to rise from nothing to a full load, s. */
const RISE_S = 40;
/** The more it fell lately (sum of falls, fraction), the slower it rises, up to so many times. */
const SLOWER_PER_FALL = 6;
const MOST_SLOWER = 5;
const FALL_MEMORY_S = 120;
const SMOOTH_S = 6;
/** Falls are followed beyond these: of the smoothed and of the momentary sustainable load. */
const SLACK = 0.01;
const ABRUPT = 0.04;

export function createBudgetLaw(): BudgetLaw {
  let smooth: number | null = null;
  let budget = 0;
  let fallen = 0;
  let slot = { sum: 0, age: 0, least: 1 };
  let means: number[] = [];
  return {
    get value() {
      return budget;
    },
    shift(by) {
      if (smooth === null || !Number.isFinite(by)) return;
      smooth = clamp01(smooth + by);
      budget = clamp01(budget + by);
      means = means.map((mean) => clamp01(mean + by));
      slot = { sum: slot.sum + by * slot.age, age: slot.age, least: clamp01(slot.least + by) };
    },
    cap(most) {
      budget = Math.min(budget, Math.max(0, most));
    },
    next(sustainable, dtS, { mayRise }) {
      const now = clamp01(Number.isFinite(sustainable) ? sustainable : 0);
      const first = smooth === null;
      smooth = smooth === null ? now : smooth + (now - smooth) * (1 - Math.exp(-dtS / SMOOTH_S));
      slot = {
        sum: slot.sum + now * dtS,
        age: slot.age + dtS,
        least: Math.min(slot.least, smooth, now + ABRUPT),
      };
      if (slot.age >= SLOT_S) {
        // Between the mean and the least: short spikes count, noise does not.
        const mean = slot.sum / slot.age;
        means = [...means.slice(1 - HOLD_SLOTS), 0.35 * mean + 0.65 * slot.least];
        slot = { sum: 0, age: 0, least: 1 };
      }
      const held = Math.min(secondLowest(means), smooth + SLACK, now + ABRUPT);
      fallen *= Math.exp(-dtS / FALL_MEMORY_S);
      if (first) budget = held;
      else if (held < budget) {
        fallen += budget - held;
        budget = held;
      } else if (mayRise) {
        const slower = Math.min(MOST_SLOWER, 1 + SLOWER_PER_FALL * fallen);
        budget = Math.min(held, budget + dtS / (RISE_S * slower));
      }
      return budget;
    },
  };
}

/** The least but one: a single slot that stands out is noise or a passing event. */
function secondLowest(values: readonly number[]): number {
  let lowest = Number.POSITIVE_INFINITY;
  let second = Number.POSITIVE_INFINITY;
  for (const value of values) {
    if (value < lowest) {
      second = lowest;
      lowest = value;
    } else if (value < second) second = value;
  }
  return second;
}

function clamp01(value: number): number {
  return Math.min(1, Math.max(0, value));
}
