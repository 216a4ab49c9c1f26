import { availableParallelism } from 'node:os';
import type { Config } from '../../config/config.js';
import { startEngine } from '../../inference/engine.js';
import { thisProcessor } from '../../inference/processor.js';
import { threadCounts } from '../../profile/profiling.js';
import type { StartEngine } from '../line/mixed-engine.js';

/** Threads of one inference: every core but one, at most three (more gain little and heat a lot). */
export function threadsOf(config: Config, cores = availableParallelism()): number {
  const { threads } = config.model;
  return threads === 'auto' ? Math.max(1, Math.min(3, cores - 1)) : threads;
}

/** How an engine of the configuration is started. */
export function engineOf(config: Config): StartEngine {
  return (onFault) => startEngine({ threads: threadsOf(config), onFault });
}

/** Other threads go before the second network's, which has one: the detector must not wait for it. */
const SECOND_NICE = 10;

/** How the engine of the second network is started. */
export const secondEngine: StartEngine = (onFault) =>
  startEngine({ threads: 1, nice: SECOND_NICE, onFault });

export interface ProfilingSettings {
  readonly stateDir: string;
  /** Thread counts that are measured. */
  readonly threads: readonly number[];
}

export function profilingSettingsOf({ model, state_dir: stateDir }: Config): ProfilingSettings {
  const { threads } = model;
  return {
    stateDir,
    threads: threads === 'auto' ? threadCounts(thisProcessor().cores) : [threads],
  };
}
