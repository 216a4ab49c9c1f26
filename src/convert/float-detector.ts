import { codedError } from '../errors.js';
import type { NumericForm } from '../models/variant.js';
import type { Calibration } from './calibration.js';
import { type ConvertedModel, UNCHANGED } from './converted-model.js';
import { floatDetectorHead } from './detector-head.js';
import { type ChannelScales, equalizeGraph, rescalableGroups } from './equalize.js';
import type { Graph } from './graph.js';
import { writeOnnx } from './onnx/write.js';
import { quantizeGraph } from './quantize.js';
import { resolveShapes } from './resolve-shapes.js';
import { graphStatistics } from './statistics.js';

export interface DetectorOptions {
  /** All but `exact`, which a float network does not have. */
  readonly form: NumericForm;
  /** Needed by the forms `symmetric` and `reduced`. */
  readonly calibration: Calibration | null;
}

/**
 * Side lengths, pixels, that suit the network, native first: all have 300's remainder by 32, so that the
 * padding of each strided convolution falls on the same side.
 */
const NATIVE_SIZE = 300;
export const DETECTOR_SIZES: readonly number[] = [NATIVE_SIZE, 268, 236, 204, 172, 140];

/**
 * Writes the float graph of an SSD detector, as TensorFlow's Object Detection API exports it to
 * TensorFlow.js or TensorFlow Lite, in one numeric form. One file serves all input sizes: a uint8
 * picture [1, height, width, 3] in, raw boxes and scores of each layer out. The report counts
 * multiply-adds at the native size.
 *
 * @throws MND_MODEL_MISMATCH for a form or calibration that does not fit, or another head than SSD
 *   with six layers; MND_MODEL_OPERATOR
 */
export function convertDetectorGraph(source: Graph, options: DetectorOptions): ConvertedModel {
  const { graph, changes } = inForm(source, options);
  return {
    onnx: writeOnnx(graph, { metadata: { form: options.form } }),
    form: options.form,
    input: { name: graph.inputs[0] ?? '', sizes: DETECTOR_SIZES },
    head: floatDetectorHead(graph, NATIVE_SIZE),
    report: { ...graphStatistics(resolveShapes(graph, NATIVE_SIZE, NATIVE_SIZE)), ...changes },
  };
}

function inForm(source: Graph, { form, calibration }: DetectorOptions) {
  if (form === 'float32') {
    return { graph: source, changes: UNCHANGED };
  }
  if (form === 'exact' || calibration === null) {
    throw codedError('MND_MODEL_MISMATCH', {
      subject: `numeric form ${form}`,
      expected: 'float32, or symmetric or reduced with a calibration',
      found: calibration === null ? 'no calibration' : 'a float network',
    });
  }
  return quantizeCalibrated(source, calibration, form === 'reduced');
}

/**
 * A float graph in integers, its channels evened out first, and what that did to its weights.
 *
 * @param reduced whether weights are held so small that no sum saturates on x64 without VNNI
 * @throws MND_MODEL_MISMATCH for a calibration of another graph
 */
export function quantizeCalibrated(source: Graph, calibration: Calibration, reduced: boolean) {
  const even = equalizeGraph(source, calibration.channelScales);
  const { graph, report } = quantizeGraph(even, calibration, reduced);
  const { raisedChannels, largestWeightError } = report;
  const rescaledChannels = rescaled(source, calibration.channelScales);
  return { graph, changes: { raisedChannels, rescaledChannels, largestWeightError } };
}

/** Channels of convolutions whose results equalization divided by something other than 1. */
function rescaled(graph: Graph, scales: ChannelScales): number {
  const convolutions = new Set(
    graph.operators.filter(({ kind }) => kind === 'conv').map(({ output }) => output),
  );
  let count = 0;
  for (const group of rescalableGroups(graph)) {
    const changed = (scales.get(group[0] ?? '') ?? []).filter((scale) => scale !== 1).length;
    count += changed * group.filter((name) => convolutions.has(name)).length;
  }
  return count;
}
