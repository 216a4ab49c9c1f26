/** Spreads a fraction evenly over a sequence: 0.7 is 7 of every 10, never two gaps in a row. */
export interface ErrorDiffusion {
  /** True when the next frame (or second) is one of the `fraction`. */
  next(fraction: number): boolean;
  readonly carry: number;
}

/** First-order error diffusion; `carry` (0 to 1) continues an earlier sequence. */
export function createErrorDiffusion(carry = 0.5): ErrorDiffusion {
  let error = Number.isFinite(carry) ? Math.min(1, Math.max(0, carry)) : 0.5;
  return {
    next(fraction) {
      const share = Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : 0;
      error += share;
      if (error < 1) return false;
      error -= 1;
      return true;
    },
    get carry() {
      return error;
    },
  };
}
