import type { ConvOperator, Graph, Tensor } from '../graph.js';
import { reducedSpan, type WeightSpan } from '../round-weights.js';
import { constantOf, quantizationOf, tensorOf } from '../tensors.js';
import { symmetricChannel } from './symmetric-channel.js';

/** What re-quantizing the weights did to a graph. */
export interface SymmetricReport {
  /** Output channels whose scale was raised so that their bias fits into 32 bits. */
  readonly raisedChannels: number;
  /** Output channels whose weights have another scale than before. */
  readonly rescaledChannels: number;
  /** Output channels in all convolutions. */
  readonly channels: number;
  /** Largest change of a weight, as a share of its layer's largest weight. */
  readonly largestWeightError: number;
}

interface MutableReport {
  raisedChannels: number;
  rescaledChannels: number;
  channels: number;
  largestWeightError: number;
}

/** Bias values stay below this, so that the accumulator cannot overflow by the bias alone. */
const BIAS_LIMIT = 2 ** 30;

/** Keeps the scale of a channel without weights from vanishing in float32. */
const LEAST_SCALE = 1e-30;

/** real = scale · (stored − zeroPoint) of one output channel's weights. */
function channelParameters(weights: Tensor, channel: number): readonly [number, number] {
  const { scale, zeroPoint } = quantizationOf(weights);
  const at = scale.length === 1 ? 0 : channel;
  return [scale[at] ?? 1, zeroPoint[at] ?? 0];
}

interface Requantized {
  readonly weights: Tensor;
  readonly bias: Tensor | null;
}

function requantize(
  graph: Graph,
  operator: ConvOperator,
  span: WeightSpan,
  report: MutableReport,
): Requantized {
  const weights = tensorOf(graph, operator.weights);
  const bias = operator.bias === null ? null : tensorOf(graph, operator.bias);
  const source = constantOf(weights);
  const sourceBias = bias === null ? null : constantOf(bias);
  const outChannels = weights.shape[operator.depthwise ? 2 : 0] ?? 0;
  const perChannel = outChannels === 0 ? 0 : source.length / outChannels;
  // Weights of one output channel lie in a row, or a row of output channels apart.
  const step = operator.depthwise ? outChannels : 1;
  const data = new Int8Array(source.length);
  const newBias = new Int32Array(outChannels);
  const scales: number[] = [];
  const steps = new Int16Array(perChannel);
  let largestWeight = 0;
  let largestError = 0;
  for (let channel = 0; channel < outChannels; channel += 1) {
    const [scale, zeroPoint] = channelParameters(weights, channel);
    const first = operator.depthwise ? channel : channel * perChannel;
    for (let index = 0; index < perChannel; index += 1) {
      steps[index] = (source[first + index * step] ?? 0) - zeroPoint;
    }
    // The bias is stored at the scale of the input times that of the weights.
    const oldBias = sourceBias?.[channel] ?? 0;
    const leastFactor = Math.max(Math.abs(oldBias) / BIAS_LIMIT, LEAST_SCALE / scale);
    const { factor, stored } = symmetricChannel(steps, leastFactor, span);
    if (leastFactor > 1) report.raisedChannels += 1;
    if (factor !== 1) report.rescaledChannels += 1;
    scales.push(Math.fround(scale * factor));
    newBias[channel] = Math.round(oldBias / factor);
    for (let index = 0; index < perChannel; index += 1) {
      const value = stored[index] ?? 0;
      data[first + index * step] = value;
      const real = (steps[index] ?? 0) * scale;
      largestWeight = Math.max(largestWeight, Math.abs(real));
      largestError = Math.max(largestError, Math.abs(real - value * factor * scale));
    }
  }
  report.channels += outChannels;
  if (largestWeight > 0) {
    report.largestWeightError = Math.max(report.largestWeightError, largestError / largestWeight);
  }
  const axis = operator.depthwise ? 2 : 0;
  const quantization = { scale: scales, zeroPoint: scales.map(() => 0), axis };
  return {
    weights: { ...weights, type: 'int8', quantization, data },
    bias: bias === null ? null : { ...bias, quantization: null, data: newBias },
  };
}

/**
 * Re-quantizes the weights of a quantized graph's convolutions: int8, one scale an output channel,
 * zero point 0, biases to match. Activations keep their quantization. onnxruntime's kernels are
 * faster without zero points. A channel whose weights lie within 127 steps of the old zero point
 * keeps them as they are; the others lose up to half a bit, so results are near those of TensorFlow
 * Lite but not the same.
 *
 * A channel with weights of next to nothing but a bias gets a scale that keeps the bias in 32 bits.
 *
 * @param reduced whether weights are held so small that no sum saturates on x64 without VNNI
 */
export function symmetricWeights(
  graph: Graph,
  reduced = false,
): {
  readonly graph: Graph;
  readonly report: SymmetricReport;
} {
  const report: MutableReport = {
    raisedChannels: 0,
    rescaledChannels: 0,
    channels: 0,
    largestWeightError: 0,
  };
  const tensors = new Map(graph.tensors);
  const operators = graph.operators.map((operator) => {
    if (operator.kind !== 'conv' || tensorOf(graph, operator.output).type !== 'uint8') {
      return operator;
    }
    const span = reduced ? reducedSpan(operator, tensorOf(graph, operator.weights)) : 'full';
    const { weights, bias } = requantize(graph, operator, span, report);
    // A constant may be shared by operators; each gets its own, the old one goes.
    const weightsName = `${operator.output}:symmetric weights`;
    tensors.delete(operator.weights);
    tensors.set(weightsName, { ...weights, name: weightsName });
    if (bias === null || operator.bias === null) return { ...operator, weights: weightsName };
    const biasName = `${operator.output}:symmetric bias`;
    tensors.delete(operator.bias);
    tensors.set(biasName, { ...bias, name: biasName });
    return { ...operator, weights: weightsName, bias: biasName };
  });
  return { graph: { ...graph, tensors, operators }, report };
}
