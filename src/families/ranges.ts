/** Width multipliers that are accepted, from the least to the greatest. */
export const ALPHA_RANGE = { min: 0.01, max: 2 } as const;

/** Sides of a network's square input that are accepted, pixels. */
export const INPUT_SIZE_RANGE = { min: 32, max: 4096 } as const;
