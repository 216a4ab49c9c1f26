import { rankingAccuracy } from '../../models/catalog/quality.js';
import type { Variant } from '../../models/variant.js';
import type { MeasuredWay } from '../../profile/ways.js';
import type { MeasuredRung } from '../governor-state.js';

export interface MeasureOptions {
  readonly variants: readonly Variant[];
  /** Wall time of one inference, ms: of the board's profile, or measured now. */
  readonly costMs: (variant: Variant) => number | Promise<number>;
  /** The ways to run a variant on this board, the fastest first; none where nothing is to choose. */
  readonly waysOf?: (variant: Variant) => readonly MeasuredWay[];
  /** What a variant is worth for what was taught on this board, percent; null: nothing is known. */
  readonly taughtQuality?: (variant: Variant) => number | null;
  readonly onError: (variant: Variant, error: unknown) => void;
}

/**
 * The rungs of the governor: what each variant costs on this board, and how accurate it is. A variant
 * that fails is left out.
 */
export async function measureRungs(options: MeasureOptions): Promise<MeasuredRung[]> {
  const rungs: MeasuredRung[] = [];
  for (const [variant, accuracy] of ranked(options)) {
    try {
      const costMs = await options.costMs(variant);
      const { name, alpha, size } = variant;
      const ways = options.waysOf?.(variant) ?? [];
      // Ways of another cost were measured of something else.
      const isOwn = ways[0]?.costMs === costMs;
      rungs.push({ name, alpha, size, accuracy, costMs, variant, ...(isOwn && { ways }) });
    } catch (error) {
      options.onError(variant, error);
    }
  }
  return rungs.sort((a, b) => a.costMs - b.costMs);
}

/**
 * Variants with their accuracy, 0 where it is not known (a model of the user's own): such a one is
 * only run when it is pinned. Where nothing is known of any, the first one stands for all: the
 * governor then has the frame rate to work with.
 */
function ranked({ variants, taughtQuality }: MeasureOptions): [Variant, number][] {
  const published = variants.map((variant) => rankingAccuracy(variant, variants));
  const found = variants.map((variant, index) =>
    together(published[index] ?? null, taughtQuality?.(variant) ?? null),
  );
  const known = found.some((accuracy) => accuracy !== null);
  return variants.map((variant, index) => {
    const stand = !known && index === 0 ? 100 : 0;
    return [variant, found[index] ?? stand];
  });
}

/**
 * What a variant is worth on a board that tells both what its network knows and what was taught, percent: the
 * mean of what is known.
 */
function together(published: number | null, taught: number | null): number | null {
  if (published === null || taught === null) return published ?? taught;
  return (published + taught) / 2;
}
