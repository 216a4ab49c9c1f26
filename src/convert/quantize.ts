import { codedError } from '../errors.js';
import type { Calibration } from './calibration.js';
import {
  type ConvOperator,
  type Graph,
  type NormalizeOperator,
  type Operator,
  operatorInputs,
  type PictureOperator,
  type Tensor,
} from './graph.js';
import { quantizeConvolution } from './quantize-weights.js';
import { headOf, tailOf } from './real-ends.js';
import { reducedSpan } from './round-weights.js';
import { perChannel } from './scaling.js';
import { constantOf, scalarQuantization, tensorOf } from './tensors.js';

export interface QuantizeReport {
  readonly convolutions: number;
  /** Output channels whose weight scale was raised so that the bias fits 32 bits. */
  readonly raisedChannels: number;
  /** Largest change of a weight, as a share of its convolution's largest weight. */
  readonly largestWeightError: number;
}

/**
 * Quantizes a float graph after training: activations uint8 (one scale and zero point a tensor),
 * weights int8 symmetric a channel, biases int32. Ranges are calibrated; ReLU6 gives [0, 6] where
 * nothing narrower was measured. The mean error of rounding the weights is taken out of the biases
 * (Nagel et al. 2019, "Data-Free Quantization", §4.2, with measured means). The normalisation of the picture becomes
 * the input's scale and zero point; what rounding the zero point loses goes into the first bias. Where the
 * calibration asks for it, a classifier's first operators keep their real numbers.
 *
 * @param reduced whether weights are held so small that no sum saturates on x64 without VNNI
 * @throws MND_MODEL_MISMATCH if the calibration lacks a tensor, MND_MODEL_OPERATOR if the graph is not
 *   a float graph
 */
export function quantizeGraph(
  graph: Graph,
  calibration: Calibration,
  reduced = false,
): { graph: Graph; report: QuantizeReport } {
  const tensors = new Map<string, Tensor>();
  const operators: Operator[] = [];
  const pictures = new Map<string, PictureInput>();
  const report = { convolutions: 0, raisedChannels: 0, largestWeightError: 0 };
  const end = tailOf(graph);
  const start = calibration.realHead === true ? headOf(graph, end) : 0;
  operators.push(...floatHead(graph, start, { calibration, tensors, pictures }));
  for (const operator of graph.operators.slice(start, end)) {
    if (operator.kind === 'picture') {
      tensors.set(operator.input, tensorOf(graph, operator.input));
      operators.push(operator);
      continue;
    }
    if (operator.kind === 'normalize') {
      const picture = quantizePicture(graph, operator);
      if (picture.lookup !== null) {
        tensors.set(operator.input, tensorOf(graph, operator.input));
        operators.push(picture.lookup);
      }
      tensors.set(picture.tensor.name, picture.tensor);
      pictures.set(operator.output, picture);
      continue;
    }
    if (operator.kind !== 'conv') {
      const named = withInputs(operator, (name) => pictures.get(name)?.tensor.name ?? name);
      for (const constant of constantsOf(graph, named)) tensors.set(constant.name, constant);
      const output = tensorOf(graph, operator.output);
      tensors.set(output.name, quantizeResult(output, named, tensors, calibration));
      operators.push(named);
      continue;
    }
    const output = tensorOf(graph, operator.output);
    tensors.set(output.name, quantizeActivation(output, operator.activation, calibration));
    const picture = pictures.get(operator.input);
    const input = picture?.tensor ?? tensorOf({ tensors }, operator.input);
    const result = quantizeConvolution({
      operator,
      weights: tensorOf(graph, operator.weights),
      bias: operator.bias === null ? null : constantOf(tensorOf(graph, operator.bias)),
      inputScale: scalarQuantization(input).scale,
      inputOffset: picture?.residue ?? 0,
      means: meansOf(calibration, operator, graph),
      span: reduced ? reducedSpan(operator, tensorOf(graph, operator.weights)) : 'full',
    });
    tensors.set(result.weights.name, result.weights);
    tensors.set(result.bias.name, result.bias);
    operators.push({ ...operator, input: input.name, bias: result.bias.name });
    report.convolutions++;
    report.raisedChannels += result.raisedChannels;
    report.largestWeightError = Math.max(report.largestWeightError, result.largestWeightError);
  }
  operators.push(...floatTail(graph, graph.operators.slice(end), { tensors, pictures }));
  return { graph: { ...graph, tensors, operators }, report };
}

interface Storing {
  readonly calibration: Calibration;
  readonly tensors: Map<string, Tensor>;
  readonly pictures: Map<string, PictureInput>;
}

/** The operators of the head as they are, with what stores those of their results that the others read. */
function floatHead(
  graph: Graph,
  start: number,
  { calibration, tensors, pictures }: Storing,
): readonly Operator[] {
  const head = graph.operators.slice(0, start);
  const read = new Set(graph.operators.slice(start).flatMap(operatorInputs));
  return head.flatMap((operator): Operator[] => {
    for (const name of [...operatorInputs(operator), operator.output]) {
      tensors.set(name, tensorOf(graph, name));
    }
    if (!read.has(operator.output)) return [operator];
    const activation = 'activation' in operator ? operator.activation : 'none';
    const output = tensorOf(graph, operator.output);
    const name = `${output.name}:stored`;
    const tensor = { ...quantizeActivation(output, activation, calibration), name };
    tensors.set(name, tensor);
    pictures.set(output.name, { tensor, residue: 0, lookup: null });
    return [operator, { kind: 'store', input: output.name, output: name }];
  });
}

/** The operators of the tail as they are, behind what makes real numbers of the stored ones they read. */
function floatTail(
  graph: Graph,
  tail: readonly Operator[],
  { tensors, pictures }: Omit<Storing, 'calibration'>,
): readonly Operator[] {
  const operators: Operator[] = [];
  const real = new Map<string, string>();
  const own = new Set(tail.map(({ output }) => output));
  for (const operator of tail) {
    if (operator.kind === 'requantize') throw unquantizable(operator);
    for (const name of operatorInputs(operator)) {
      const picture = pictures.get(name);
      const stored = tensors.get(name) ?? picture?.tensor;
      if (own.has(name) || real.has(name)) continue;
      if (stored === undefined || stored.data !== null || stored.type === 'float32') {
        tensors.set(name, tensorOf(graph, name));
        continue;
      }
      const { scale, zeroPoint } = scalarQuantization(stored);
      const output = `${name}:real`;
      tensors.set(output, { ...stored, name: output, type: 'float32', quantization: null });
      operators.push({
        kind: 'normalize',
        input: stored.name,
        output,
        scale: [scale],
        offset: [(picture?.residue ?? 0) - zeroPoint * scale],
      });
      real.set(name, output);
    }
    tensors.set(operator.output, tensorOf(graph, operator.output));
    operators.push(withInputs(operator, (name) => real.get(name) ?? name));
  }
  return operators;
}

/** An operator that reads other activations. */
function withInputs<T extends Operator>(operator: T, name: (input: string) => string): T {
  if (operator.kind === 'add' || operator.kind === 'mul') {
    const [first, second] = operator.inputs;
    return { ...operator, inputs: [name(first), name(second)] };
  }
  return { ...operator, input: name(operator.input) };
}

interface PictureInput {
  readonly tensor: Tensor;
  /** Real value of a stored zero point: what the rounded zero point leaves over. */
  readonly residue: number;
  /** What makes channels of different scalings one quantization; null where there is one scaling. */
  readonly lookup: PictureOperator | null;
}

function quantizePicture(graph: Graph, operator: NormalizeOperator): PictureInput {
  if (operator.scale.length > 1 || operator.offset.length > 1) {
    return quantizeChannels(graph, operator);
  }
  const [scale = 1] = operator.scale;
  const [offset = 0] = operator.offset;
  const zeroPoint = Math.min(Math.max(Math.round(-offset / scale), 0), 255);
  const quantization = { scale: [scale], zeroPoint: [zeroPoint], axis: null };
  const tensor: Tensor = { ...tensorOf(graph, operator.input), type: 'uint8', quantization };
  return { tensor, residue: scale * zeroPoint + offset, lookup: null };
}

/** Channels with scalings of their own share the range of all of them. */
function quantizeChannels(graph: Graph, operator: NormalizeOperator): PictureInput {
  const { scale, offset, input, output } = operator;
  const channels = [0, 1, 2].map((at) => [perChannel(scale, at), perChannel(offset, at)] as const);
  const low = Math.min(...channels.map(([, shift]) => shift));
  const high = Math.max(...channels.map(([factor, shift]) => 255 * factor + shift));
  const step = (high - low) / 255;
  const zeroPoint = Math.min(Math.max(Math.round(-low / step), 0), 255);
  const table = Uint8Array.from({ length: 3 * 256 }, (_, at) => {
    const [factor, shift] = channels[Math.floor(at / 256)] ?? [1, 0];
    const stored = Math.round((factor * (at % 256) + shift) / step) + zeroPoint;
    return Math.min(255, Math.max(0, stored));
  });
  const name = `${output}:stored`;
  const quantization = { scale: [step], zeroPoint: [zeroPoint], axis: null };
  return {
    tensor: { ...tensorOf(graph, input), name, type: 'uint8', quantization },
    residue: 0,
    lookup: { kind: 'picture', input, output: name, reversed: false, table },
  };
}

/** Constants that an addition or multiplication reads, stored over their own range. */
function constantsOf(graph: Graph, operator: Operator): readonly Tensor[] {
  if (operator.kind !== 'add' && operator.kind !== 'mul') return [];
  return operator.inputs.flatMap((name) => {
    const tensor = graph.tensors.get(name);
    if (tensor === undefined || tensor.data === null) return [];
    const values = Array.from(tensor.data);
    const low = Math.min(0, ...values);
    const scale = Math.max((Math.max(0, ...values) - low) / 255, 1e-9);
    const zeroPoint = Math.round(-low / scale);
    const data = Uint8Array.from(values, (value) => Math.round(value / scale) + zeroPoint);
    const quantization = { scale: [scale], zeroPoint: [zeroPoint], axis: null };
    return [{ ...tensor, type: 'uint8', quantization, data }];
  });
}

/** What changes no value keeps its scale; everything else has a range of its own. */
function quantizeResult(
  output: Tensor,
  operator: Exclude<Operator, ConvOperator>,
  tensors: ReadonlyMap<string, Tensor>,
  calibration: Calibration,
): Tensor {
  switch (operator.kind) {
    case 'max-pool':
    case 'reshape': {
      const { quantization } = tensorOf({ tensors }, operator.input);
      return { ...output, type: 'uint8', quantization };
    }
    case 'add':
    case 'mul':
    case 'activation':
      return quantizeActivation(output, operator.activation, calibration);
    case 'hard-swish':
    case 'sigmoid':
    case 'global-average-pool':
      return quantizeActivation(output, 'none', calibration);
    default:
      throw unquantizable(operator);
  }
}

function quantizeActivation(
  tensor: Tensor,
  activation: ConvOperator['activation'],
  calibration: Calibration,
): Tensor {
  const [min, max] =
    activation === 'relu6'
      ? (calibration.ranges.get(tensor.name) ?? [0, 6])
      : rangeOf(calibration, tensor.name);
  // Zero must be exact: padding is made of it.
  const low = activation === 'none' ? Math.min(min, 0) : 0;
  const high = Math.max(max, 0, low + 1e-6);
  const scale = (high - low) / 255;
  const zeroPoint = Math.round(-low / scale);
  return {
    ...tensor,
    type: 'uint8',
    quantization: { scale: [scale], zeroPoint: [zeroPoint], axis: null },
  };
}

function rangeOf(calibration: Calibration, name: string): readonly [number, number] {
  const range = calibration.ranges.get(name);
  if (range === undefined) throw missing(`a range for ${name}`);
  return range;
}

/** Null where the calibration does not know the input. */
function meansOf(calibration: Calibration, { input }: ConvOperator, graph: Graph) {
  const means = calibration.means.get(input);
  if (means === undefined) return null;
  const channels = tensorOf(graph, input).shape.at(-1);
  if (means.length !== channels) throw missing(`${channels} means for ${input}`);
  return means;
}

function missing(expected: string) {
  return codedError('MND_MODEL_MISMATCH', {
    subject: 'calibration',
    expected,
    found: 'a calibration of another model',
  });
}

function unquantizable(operator: Operator) {
  return codedError('MND_MODEL_OPERATOR', {
    subject: `operator ${operator.kind} to ${operator.output}`,
    expected: 'a float network',
  });
}
