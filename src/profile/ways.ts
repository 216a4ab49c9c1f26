import type { Variant } from '../models/variant.js';
import type { Way } from '../thermal/sample.js';
import { bestCost, type FormCost, type Wanted, WORTHWHILE_GAIN } from './costs.js';
import { type Profiles, profileOf, type VariantForms } from './profiles.js';

/** A way to run a network on this board, and the variant that is loaded for it. */
export interface MeasuredWay extends Way {
  readonly variant: Variant;
}

/**
 * The ways to run a variant by what this board measured, the fastest first: with other threads only where
 * they take clearly less processor time, in the form that is fastest with them. One or none: there is nothing
 * to choose.
 */
export function waysToRun(forms: VariantForms, profiles: Profiles, wanted: Wanted): MeasuredWay[] {
  const costs = profileOf(profiles, forms)?.costs ?? [];
  const fastest = bestCost(costs, wanted);
  if (fastest === null || wanted.threads !== 'auto') return [];
  const mostMs = cpuOf(fastest) * (1 - WORTHWHILE_GAIN);
  const others = [...new Set(costs.map(({ threads }) => threads))]
    .filter((threads) => threads !== fastest.threads)
    .map((threads) => bestCost(costs, { ...wanted, threads }))
    .filter((cost) => cost !== null && cpuOf(cost) < mostMs);
  return [fastest, ...others].flatMap((cost) => {
    const variant = forms.find(({ form }) => form === cost?.form);
    if (cost === null || variant === undefined || !(cpuOf(cost) > 0)) return [];
    const { form, threads, minMs } = cost;
    const loaded = { ...variant, threads };
    const knob = `${form}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
    return [{ threads, costMs: minMs, cpuMs: cpuOf(cost), knob, variant: loaded }];
  });
}

/** Processor time of the quickest run: that of a usual one, in the same proportion. */
function cpuOf({ cpuMs, medianMs, minMs }: FormCost): number {
  return (cpuMs / medianMs) * minMs;
}
