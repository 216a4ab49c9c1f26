import type { Config } from '../config/config.js';
import { isCodedError } from '../errors.js';
import { openShelf } from '../models/shelf.js';
import type { Variant } from '../models/variant.js';
import type { Log } from './log.js';

export interface ModelOptions {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** What happens while a model is fetched and converted, for people. */
  readonly onProgress?: (text: string) => void;
}

/** The detector that is fetched when none is installed. */
const DEFAULT_DETECTOR = 'ssdlite_mobilenet_v2_coco';
const DEFAULT_CLASSIFIER = 'mobilenet_v1_0.75_192_quant';

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
  const provided = async (): Promise<ProvidedModel> => {
    const variant = await shelf.resolve({ task, name, form });
    const all = await shelf.variants(task, form);
    const chosen = all.filter(
      (other) => name === 'auto' || [other.name, other.model].includes(name),
    );
    return { variant, variants: chosen.length === 0 ? [variant] : chosen };
  };
  try {
    return await provided();
  } catch (error) {
    if (!isCodedError(error) || error.code !== 'MND_MODEL_MISSING') throw error;
    const missing =
      name === 'auto' ? (task === 'detect' ? DEFAULT_DETECTOR : DEFAULT_CLASSIFIER) : name;
    log.info({ model: missing }, 'fetching the model');
    options.onProgress?.(`fetching and converting ${missing} …`);
    await shelf.pull([missing]);
    return provided();
  }
}
