// biome-ignore-all assist/source/organizeImports: telemetry must come before the addon
import './telemetry.js';
import * as ort from 'onnxruntime-node';
import type { NumericForm } from '../models/variant.js';
import { type Processor, thisProcessor } from './processor.js';

export { ort };

/** Errors only: warnings of the graph optimiser are of no use to a user. */
const LOG_ERRORS = 3;

/**
 * Session options for a board that does other work too: threads that wait asleep instead of
 * spinning (26.8 → 6.7 CPU ms a frame at two threads, paced), nodes in sequence.
 *
 * Where sums of uint8 · int8 saturate, int8 weights of the full range are run as uint8, which is
 * slower and right. The form `reduced` has weights that cannot saturate.
 *
 * @param threads of one inference, at least 1
 */
export function sessionOptions(
  threads: number,
  form: NumericForm,
  processor: Processor = thisProcessor(),
): ort.InferenceSession.SessionOptions {
  const wide = form === 'exact' || form === 'symmetric';
  return {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    // One block planned for a whole run would lie beside the blocks of the first: 3 MB more, and not faster.
    enableMemPattern: false,
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: LOG_ERRORS,
    // The runtime takes strings only.
    extra: {
      session: {
        intra_op: { allow_spinning: '0' },
        inter_op: { allow_spinning: '0' },
        // On a processor with VNNI too, the runtime would take the slower kernels if told to.
        x64quantprecision: wide && processor.saturates ? '1' : '0',
      },
    },
  };
}
