import { createErrorDiffusion } from '../mix.js';
import type { Mix, Rung } from '../sample.js';

/** Draws one rung for a whole second, so that seconds, in the mean, make the load of the mix. */
export interface WholeSecond {
  /**
   * @param spend load that may be made, fraction of a second per second
   * @param heatOf peak temperature (°C) a load would bring until the next decision
   * @param mostC the temperature no second may bring
   */
  pick(
    mix: Mix,
    plan: { readonly fps: number; readonly spend: number; readonly slowdown: number },
    heatOf: (load: number) => number,
    mostC: number,
  ): number;
}

/** @param rungs with their wall time, and with what loads are counted in */
export function createWholeSecond(
  rungs: () => { readonly ladder: readonly Rung[]; readonly hot: readonly Rung[] },
): WholeSecond {
  const diffusion = createErrorDiffusion();
  return {
    pick(mix, { fps, spend, slowdown }, heatOf, mostC) {
      if (mix.low === mix.high) return mix.low;
      const { ladder, hot } = rungs();
      const low = hot[mix.low];
      const high = hot[mix.high];
      if (low === undefined || high === undefined) return mix.low;
      const wallMs = ladder[mix.high]?.costMs ?? high.costMs;
      const room = 1000 / (fps * slowdown);
      // The upper rung cannot keep the rate alone: worth it only if what it delivers counts for more.
      const alone = wallMs <= room;
      if (!alone && (high.accuracy * room) / wallMs <= low.accuracy) return mix.low;
      const perFrameMs = (spend * 1000) / fps;
      const share = alone ? mix.fraction : (perFrameMs - low.costMs) / (room - low.costMs);
      if (!diffusion.next(share)) return mix.low;
      const load = Math.min(1, (fps * high.costMs) / 1000);
      return heatOf(load) > mostC ? mix.low : mix.high;
    },
  };
}
