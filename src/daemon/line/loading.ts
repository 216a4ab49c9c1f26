import type { Engine } from '../../inference/engine.js';
import type { Variant } from '../../models/variant.js';

/**
 * Runs a variant, which is loaded anew where it had to give way meanwhile: the worker keeps a few files
 * only, and a mix that is being exchanged, or a measurement, loads others before this request has its turn.
 */
export async function whileLoaded<Answer>(
  engine: Engine,
  variant: Variant,
  run: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await run();
  } catch (error) {
    if (engine.loaded().includes(variant.name)) throw error;
    await engine.load(variant);
    return run();
  }
}

/** Loads both variants of a mix. */
export async function load(
  engine: Engine,
  mix: { readonly low: Variant; readonly high: Variant },
): Promise<void> {
  await engine.load(mix.high);
  if (mix.low.name !== mix.high.name) await engine.load(mix.low);
}
