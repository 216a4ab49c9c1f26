// biome-ignore-all assist/source/organizeImports: telemetry must come before the addon
import './telemetry.js';
import * as ort from 'onnxruntime-node';

export { ort };

/** Errors only: warnings of the graph optimiser are of no use to a user. */
const LOG_ERRORS = 3;

/**
 * Session options for a board that does other work too: threads that wait asleep instead of
 * spinning (26.8 → 6.7 CPU ms a frame at two threads, paced), nodes in sequence.
 *
 * @param threads of one inference, at least 1
 */
export function sessionOptions(threads: number): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: LOG_ERRORS,
    // The runtime takes strings only.
    extra: {
      session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } },
    },
  };
}
