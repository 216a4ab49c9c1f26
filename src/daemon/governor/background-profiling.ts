import {
  measureForms,
  type Profiling,
  type ProfilingOptions,
  startProfiling,
} from '../../profile/profiling.js';
import type { Thermometer } from '../../thermal/thermometer.js';
import type { Log } from '../diagnostics/log.js';
import type { ProvidedModel } from '../model.js';
import type { ProfilingSettings } from '../options/engine.js';
import { memoryRoom } from './memory-room.js';

export interface BackgroundOptions extends Pick<ProfilingOptions, 'limitC' | 'onMeasured'> {
  readonly log: Log;
  readonly heat: Thermometer;
  /** Milliseconds until the first measurement; default 30 s. */
  readonly delayMs: number | undefined;
}

/** Measures the forms of a model that have no profile yet, while frames go on. */
export function profileInBackground(
  { forms, board, referenceOf }: ProvidedModel,
  { stateDir, threads }: ProfilingSettings,
  { log, heat, delayMs, limitC, onMeasured }: BackgroundOptions,
): Profiling {
  return startProfiling({
    heat: () => heat.read(0, 0),
    room: memoryRoom,
    limitC,
    onMeasured,
    stateDir,
    board,
    forms: async () => forms,
    referenceOf,
    async measure(variant, signal) {
      const reference = referenceOf(variant);
      return measureForms(variant, { threads, reference, background: true, signal });
    },
    log,
    delayMs,
  });
}
