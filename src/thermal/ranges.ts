/**
 * What the governor can be given: read by the configuration, the command line and the law itself, so
 * that nothing is accepted in one place and changed in another.
 */
export const GOVERNOR_RANGES = {
  /** Temperature never to reach, °C. */
  limitC: { min: 40, max: 95 },
  /** A cooler goal than the limit's. */
  targetC: { min: 30, max: 95 },
  /** Distance kept from the limit, °C: not less than a sensor's step. */
  marginC: { min: 0.5, max: 20 },
  /** An energy budget, Wh. */
  wattHours: { min: 0.1, max: 100_000 },
  /** What a board draws, W. */
  watts: { min: 0.1, max: 100 },
  /** Least frame rate, frames a second. */
  minFps: { min: 0.01, max: 120 },
} as const;
