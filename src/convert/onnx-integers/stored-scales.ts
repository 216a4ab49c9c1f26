import { POWER, POWER_BEHIND_RELU6 } from '../equalize.js';
import type { IntegerPlan } from './plan.js';

/** What a value was on pictures: for each channel its least, greatest and mean. */
export interface ChannelRanges {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly mean: readonly number[];
}

/** How a value is stored: real = divisor of its channel · scale · (stored − zero point). */
export interface StoredScale {
  readonly scale: number;
  readonly zeroPoint: number;
  /** One a channel. */
  readonly divisors: readonly number[];
}

const STEPS = 255;

/** Least share of the largest channel, so that a dead one is not blown up. */
const LEAST_SHARE = 1e-3;

/** Chooses how the values of a plan are stored. */
export function storedScales(
  { stored, convolutions }: IntegerPlan,
  ranges: ReadonlyMap<string, ChannelRanges>,
): ReadonlyMap<string, StoredScale> {
  const cut = new Set(
    convolutions.flatMap(({ cut, output }) => (cut?.opType === 'Clip' ? [output] : [])),
  );
  return new Map(
    [...stored].map((name) => {
      const range = ranges.get(name) ?? { low: [0], high: [1], mean: [0] };
      return [name, storedScale(range, cut.has(name) ? POWER_BEHIND_RELU6 : POWER)];
    }),
  );
}

function storedScale(
  { low, high }: Pick<ChannelRanges, 'low' | 'high'>,
  power: number,
): StoredScale {
  const spans = low.map((least, at) => Math.max(-least, high[at] ?? 0));
  const widest = Math.max(...spans, Number.MIN_VALUE);
  const divisors = spans.map((span) => Math.max(span / widest, LEAST_SHARE) ** power);
  const share = (values: readonly number[]) =>
    values.map((value, at) => value / (divisors[at] ?? 1));
  const least = Math.min(0, ...share(low));
  const most = Math.max(0, ...share(high));
  // The runtime reads float32.
  const scale = Math.fround((most - least) / STEPS) || 1;
  return { scale, zeroPoint: Math.round(-least / scale), divisors };
}
