/** Whether the model of the board is good enough to go by when the sensor fails. */
export interface Acquaintance {
  /**
   * @param innovationC reading − model while the sensor was believed, °C; null: none this second
   * @param identified the gains are known well
   * @param guided a second sensor tells how the room changes
   */
  update(
    innovationC: number | null,
    identified: boolean,
    trusted: boolean,
    dtS: number,
    guided?: boolean,
  ): void;
  /** The model was good until the sensor failed (or is, while it works). */
  readonly good: boolean;
  /** Distance to keep from the target for what nobody sees any more, °C; 0 while the sensor works. */
  readonly doubtC: number;
}

/** So long the sensor and the model must have agreed. */
const AGREED_S = 300;
/** Root mean square of the one-step errors that is still good, °C. */
const GOOD_C = 0.9;
const MEAN_S = 120;
/** The room may warm by so much an hour without being seen: a heater, the sun. */
const ROOM_C_PER_S = 36 / 3600;
/** The same where a second sensor is followed: what it does not share with the processor. */
const GUIDED_C_PER_S = 3 / 3600;
const FIRST_DOUBT_C = 0.5;

export function createAcquaintance(): Acquaintance {
  let squared = 0;
  let agreedS = 0;
  let failedS = 0;
  /** The part of it in which a second sensor was followed. */
  let guidedS = 0;
  let good = false;
  return {
    update(innovationC, identified, trusted, dtS, guided = false) {
      if (!trusted) {
        failedS += dtS;
        if (guided) guidedS += dtS;
        return;
      }
      failedS = 0;
      guidedS = 0;
      if (innovationC !== null) {
        squared += (innovationC * innovationC - squared) * (1 - Math.exp(-dtS / MEAN_S));
      }
      agreedS = Math.sqrt(squared) <= GOOD_C ? agreedS + dtS : 0;
      good = identified && agreedS >= AGREED_S;
    },
    get good() {
      return good;
    },
    get doubtC() {
      if (failedS === 0) return 0;
      return FIRST_DOUBT_C + ROOM_C_PER_S * (failedS - guidedS) + GUIDED_C_PER_S * guidedS;
    },
  };
}
