import type { Config } from '../config/config.js';
import { isCodedError } from '../errors.js';
import { openShelf } from '../models/shelf.js';
import type { Variant } from '../models/variant.js';
import type { Log } from './log.js';

export interface ModelOptions {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** What happens while a model is fetched and converted, for people. */
  readonly onProgress?: (text: string) => void;
}

/** What the daemon runs, and the rungs the governor may choose from. */
export interface ProvidedModel {
  readonly variant: Variant;
  /** All installed variants of the task, or those of the configured model. */
  readonly variants: readonly Variant[];
}

/**
 * The configured variant; a model of the catalogue that is not installed is fetched first.
 *
 * @throws MND_MODEL_UNKNOWN, MND_DOWNLOAD_FAILED and what else pulling throws
 */
export async function provideModel(options: ModelOptions): Promise<ProvidedModel> {
  const { config, env, log } = options;
  const { task, name, form } = config.model;
  const shelf = openShelf({
    dir: config.models_dir,
    mirror: env.MOBILENETD_MODELS_MIRROR ?? null,
    env,
  });
  const request = { task, name, form };
  const installed = await shelf.resolve(request).catch((error: unknown) => {
    if (isCodedError(error) && error.code === 'MND_MODEL_MISSING') return null;
    throw error;
  });
  if (installed === null) {
    log.info('no model is installed: fetching and converting it, as `mobilenetd models pull` does');
    options.onProgress?.('fetching and converting the model …');
  }
  const variant = installed ?? (await shelf.ensure(request, { signal: options.signal }));
  const all = await shelf.variants(task, form);
  const chosen = all.filter((other) => name === 'auto' || [other.name, other.model].includes(name));
  return { variant, variants: chosen.length === 0 ? [variant] : chosen };
}
