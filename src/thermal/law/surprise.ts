/** Surprises that keep to one side are no noise: something unmodelled heats or cools. */
export interface Surprise {
  /**
   * Takes an innovation (reading − model) and its standard deviation, °C. Returns the variance
   * (°C²) by which the offset should be doubted; 0: not at all.
   */
  update(innovationC: number, sigmaC: number): number;
}

/** Share of a surprise in the mean of the last ones. */
const SHARE = 0.3;
/** Standard deviations of one reading that make the mean unusual: a rise matters sooner. */
const RISE_SIGMAS = 1;
const FALL_SIGMAS = 1.3;

export function createSurprise(): Surprise {
  let biasC = 0;
  return {
    update(innovationC, sigmaC) {
      biasC += (innovationC - biasC) * SHARE;
      const unusual = (innovationC > 0 ? RISE_SIGMAS : FALL_SIGMAS) * sigmaC;
      if (Math.abs(biasC) <= unusual || biasC * innovationC <= 0) return 0;
      return Math.max(biasC * biasC, (innovationC * innovationC) / 2);
    },
  };
}
