import { codedError } from '../errors.js';
import type { Variant } from '../models/variant.js';
import { type Engine, type EngineOptions, type RunCost, startEngine } from './engine.js';

/** What one inference of a variant costs with so many threads. */
export interface ThreadCost extends RunCost {
  readonly threads: number;
}

/** What this board measured of one variant. */
export interface VariantProfile {
  /** The variant's name. */
  readonly name: string;
  /** One entry a thread count, in the order asked for. */
  readonly costs: readonly ThreadCost[];
  /** The entry with the least median time; among equals (within 3 %) the one with fewer threads. */
  readonly best: ThreadCost;
}

export interface ProfileVariantOptions {
  /** Thread counts to measure, each at least 1; default 1. */
  readonly threads?: readonly number[];
  /** Inferences measured for each thread count, at least 1; default 30. */
  readonly runs?: number;
  /** Inferences before them; default 5. */
  readonly warmup?: number;
  /** Measuring stops before the next thread count when this is aborted. */
  readonly signal?: AbortSignal;
  readonly start?: (options: EngineOptions) => Promise<Engine>;
}

/** More threads must be worth their heat: a gain below this share does not count. */
const WORTHWHILE_GAIN = 0.03;

/**
 * Measures a variant on this board, without pre- and post-processing. Each thread count gets an
 * engine of its own, so an engine that labels frames goes on, though it competes for the processor;
 * `cpuMs` counts the whole process, so it is exact only while nothing else runs in it.
 *
 * @throws what {@link Engine.load} throws, and MND_INTERNAL for options out of range
 */
export async function profileVariant(
  variant: Variant,
  options: ProfileVariantOptions = {},
): Promise<VariantProfile> {
  const { threads = [1], runs = 30, warmup = 5, signal, start = startEngine } = options;
  if (threads.length === 0 || !(runs >= 1) || !(warmup >= 0)) {
    throw codedError('MND_INTERNAL', {
      subject: `profile of ${variant.name}`,
      expected: 'a thread count, at least one run and no negative warm-up',
    });
  }
  const costs: ThreadCost[] = [];
  for (const count of threads) {
    signal?.throwIfAborted();
    const engine = await start({ threads: count });
    try {
      await engine.load(variant);
      costs.push({ threads: count, ...(await engine.profile(variant.name, { runs, warmup })) });
    } finally {
      await engine.close();
    }
  }
  return { name: variant.name, costs, best: bestOf(costs) };
}

function bestOf(costs: readonly ThreadCost[]): ThreadCost {
  return [...costs]
    .sort((a, b) => a.threads - b.threads)
    .reduce((best, cost) => (cost.medianMs < best.medianMs * (1 - WORTHWHILE_GAIN) ? cost : best));
}
