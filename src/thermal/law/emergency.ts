/** The last line before the limit. */
export interface Emergency {
  /**
   * Takes a second; true while the floor is in force.
   *
   * @param ours Our own load had a part in it: next time more distance is kept.
   */
  update(
    seen: { readonly hot: boolean; readonly cool: boolean; readonly ours: boolean },
    dtS: number,
  ): boolean;
  readonly active: boolean;
  /** Part of the frame rate that is left: 1 at first, halved after a second and every five more. */
  readonly rate: number;
  /** Extra distance kept from the limit after recent emergencies, °C. */
  readonly guardC: number;
}

const GUARD_STEP_C = 0.4;
const MOST_GUARD_C = 2;
const GUARD_DECAY_S = 900;
/** Emergencies so close together are one. */
const SAME_S = 60;
const LEAST_S = 3;
const SMALLEST_RATE = 1 / 64;

export function createEmergency(guardC = 0): Emergency {
  let active = false;
  let forS = 0;
  let sinceS = SAME_S;
  let guard = Math.min(MOST_GUARD_C, Math.max(0, guardC));
  return {
    update({ hot, cool, ours }, dtS) {
      sinceS += dtS;
      guard *= Math.exp(-dtS / GUARD_DECAY_S);
      if (hot && !active) {
        active = true;
        forS = 0;
        if (ours && sinceS >= SAME_S) {
          guard = Math.min(MOST_GUARD_C, guard + GUARD_STEP_C);
          sinceS = 0;
        }
      } else if (active) {
        forS += dtS;
        if (cool && !hot && forS >= LEAST_S) active = false;
      }
      return active;
    },
    get active() {
      return active;
    },
    get rate() {
      if (!active || forS < 1) return 1;
      return Math.max(SMALLEST_RATE, 0.5 ** (1 + Math.floor((forS - 1) / 5)));
    },
    get guardC() {
      return guard;
    },
  };
}
