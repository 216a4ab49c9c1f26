/**
 * The budget's course: down at once, up slowly. It may not pass the least that was sustainable in
 * the last minutes, so a load that comes and goes is met by one steady budget instead of a swing.
 */
export interface BudgetLaw {
  /** Takes the load sustainable now (fraction) and returns the budget. */
  next(sustainable: number, dtS: number, options: { readonly mayRise: boolean }): number;
  /** Caps the budget without remembering it (emergency, fault, probe). */
  cap(most: number): void;
  readonly value: number;
}

/** Slots of the memory: HOLD_SLOTS · SLOT_S seconds. */
const SLOT_S = 10;
const HOLD_SLOTS = 10;
/** Time to rise from nothing to a full load, s. */
const RISE_S = 40;
const SMOOTH_S = 3;
/** A fall of this much in the sustainable load is followed without smoothing. */
const ABRUPT = 0.04;

export function createBudgetLaw(): BudgetLaw {
  let smooth: number | null = null;
  let budget = 0;
  let slotAge = 0;
  let slots: number[] = [];
  return {
    get value() {
      return budget;
    },
    cap(most) {
      budget = Math.min(budget, Math.max(0, most));
    },
    next(sustainable, dtS, { mayRise }) {
      const now = clamp01(Number.isFinite(sustainable) ? sustainable : 0);
      const first = smooth === null;
      smooth = smooth === null ? now : smooth + (now - smooth) * (1 - Math.exp(-dtS / SMOOTH_S));
      slotAge += dtS;
      if (first || slotAge >= SLOT_S) {
        slots = [...slots.slice(-HOLD_SLOTS), smooth];
        slotAge = 0;
      } else {
        slots[slots.length - 1] = Math.min(slots[slots.length - 1] ?? 1, smooth);
      }
      const held = Math.min(...slots);
      if (first) budget = held;
      else if (held > budget) budget = mayRise ? Math.min(held, budget + dtS / RISE_S) : budget;
      else budget = held;
      if (now < budget - ABRUPT) budget = now + ABRUPT;
      return budget;
    },
  };
}

function clamp01(value: number): number {
  return Math.min(1, Math.max(0, value));
}
