import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import { rungQuality } from '../teach/quality.js';
import { headToJson } from '../teach/serialise.js';
import type { TrainingAnswer, TrainingInput } from './trained.js';

const { labels, ids, dimension, examples, negatives } = workerData as TrainingInput;

parentPort?.postMessage(answer());

function answer(): TrainingAnswer {
  try {
    const rows = rowsOf(examples);
    const { head, report, quality } = rungQuality(
      rows.map((embedding, index) => ({
        label: labels[index] ?? null,
        ...(ids[index] !== undefined && { id: ids[index] }),
        embedding,
      })),
      rowsOf(negatives),
    );
    return { ok: true, head: headToJson(head), report, quality };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

function rowsOf(values: Float32Array): Float32Array[] {
  return Array.from({ length: values.length / dimension }, (_, row) =>
    values.subarray(row * dimension, (row + 1) * dimension),
  );
}
