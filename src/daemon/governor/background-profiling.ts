import type { Config } from '../../config/config.js';
import { thisProcessor } from '../../inference/processor.js';
import { shippedPictures } from '../../profile/pictures.js';
import {
  measureForms,
  type Profiling,
  type ProfilingOptions,
  startProfiling,
  threadCounts,
} from '../../profile/profiling.js';
import type { Log } from '../diagnostics/log.js';
import type { ProvidedModel } from '../model.js';
import { realThermometer } from './thermometer.js';

export interface BackgroundOptions {
  readonly config: Config;
  readonly log: Log;
  /** Milliseconds until the first measurement; default 30 s. */
  readonly profileAfterMs?: number;
}

/** Measures the forms of a model that have no profile yet, while frames go on. */
export function profileInBackground(
  { forms, board }: ProvidedModel,
  { config, log, profileAfterMs }: BackgroundOptions,
  hooks: Pick<ProfilingOptions, 'limitC' | 'onMeasured'>,
): Profiling {
  const { threads } = config.model;
  const counts = threads === 'auto' ? threadCounts(thisProcessor().cores) : [threads];
  const thermometer = realThermometer(config);
  return startProfiling({
    ...hooks,
    heat: () => thermometer.read(0, 0),
    stateDir: config.state_dir,
    board,
    forms: async () => forms,
    async measure(variant, signal) {
      const pictures = await shippedPictures();
      return measureForms(variant, { threads: counts, pictures, background: true, signal });
    },
    log,
    delayMs: profileAfterMs,
  });
}
