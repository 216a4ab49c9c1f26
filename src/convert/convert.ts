import type { ClassifierHead, NumericForm } from '../models/variant.js';
import type { ConvertedModel } from './converted-model.js';
import type { Graph } from './graph.js';
import { writeOnnx } from './onnx/write.js';
import { dequantize } from './passes/dequantize.js';
import { symmetricWeights } from './passes/symmetric.js';
import { graphStatistics } from './statistics.js';
import { nhwcShape, scalarQuantization, tensorOf } from './tensors.js';
import { INPUT_NAME, LOGITS_NAME, readTfliteClassifier } from './tflite/read.js';

export type { ConversionReport, ConvertedModel } from './converted-model.js';

export interface ConvertOptions {
  readonly form: NumericForm;
}

function classifierHead(graph: Graph): ClassifierHead {
  const logits = tensorOf(graph, LOGITS_NAME);
  const quantization =
    logits.type === 'uint8' ? scalarQuantization(logits) : { scale: 1, zeroPoint: 0 };
  return {
    kind: 'classifier',
    classes: logits.shape[1] ?? 0,
    logits: {
      name: LOGITS_NAME,
      type: logits.type === 'uint8' ? 'uint8' : 'float32',
      ...quantization,
    },
  };
}

function inForm(source: Graph, form: NumericForm) {
  const untouched = { raisedChannels: 0, largestWeightError: 0 };
  if (form === 'float32') return { graph: dequantize(source), changes: untouched };
  if (form === 'exact') return { graph: source, changes: untouched };
  const { graph, report } = symmetricWeights(source);
  const { raisedChannels, largestWeightError } = report;
  return { graph, changes: { raisedChannels, largestWeightError } };
}

/** Writes a quantized classifier's graph in one numeric form. */
export function convertClassifierGraph(source: Graph, options: ConvertOptions): ConvertedModel {
  const { graph, changes } = inForm(source, options.form);
  const [, size] = nhwcShape(tensorOf(graph, INPUT_NAME));
  return {
    onnx: writeOnnx(graph, { metadata: { form: options.form } }),
    form: options.form,
    input: { name: INPUT_NAME, sizes: [size] },
    head: classifierHead(graph),
    report: { ...graphStatistics(graph), ...changes },
  };
}

/**
 * Converts a quantized TFLite classifier (uint8 or int8) to ONNX. The input is always a uint8 RGB
 * picture [1, size, size, 3], the output logits [1, classes]: uint8 in the forms `exact` and
 * `symmetric`, float32 in the form `float32`; softmax is left to the caller.
 *
 * Throws MND_MODEL_TRUNCATED, MND_MODEL_INVALID, MND_MODEL_OPERATOR, MND_MODEL_SHAPE or
 * MND_MODEL_TOO_LARGE.
 */
export function convertTflite(bytes: Uint8Array, options: ConvertOptions): ConvertedModel {
  return convertClassifierGraph(readTfliteClassifier(bytes), options);
}
