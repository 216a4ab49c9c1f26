/** Least scores that a detector can be asked for: below 0.01, noise would be sorted instead of objects. */
export const THRESHOLD_RANGE = { min: 0.01, max: 1 } as const;

/** CPU threads of one inference. */
export const THREADS_RANGE = { min: 1, max: 64 } as const;
