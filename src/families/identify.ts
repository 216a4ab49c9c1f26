import type { ConvOperator, Graph } from '../convert/graph.js';
import { tensorOf } from '../convert/tensors.js';
import {
  BLOCKS,
  describeMobilenetV1,
  FIRST_CHANNELS,
  MIN_CHANNELS,
  type MobilenetV1,
} from './architecture.js';
import { type ConvSummary, mobilenetV2Convolutions } from './v2.js';

function summaryOf(graph: Graph, operator: ConvOperator): ConvSummary {
  const { shape } = tensorOf(graph, operator.weights);
  const kernel = operator.depthwise ? shape.slice(0, 2) : shape.slice(1, 3);
  const square = kernel[0] === kernel[1] && operator.stride[0] === operator.stride[1];
  return {
    depthwise: operator.depthwise,
    kernel: square ? (kernel[0] ?? 0) : 0,
    stride: operator.stride[0],
    output: tensorOf(graph, operator.output).shape.slice(1),
  };
}

/** The roundest number in [low, high): the one with the fewest decimals, at most 1. */
function roundestIn(low: number, high: number): number | null {
  for (let decimals = 0; decimals <= 6; decimals += 1) {
    const unit = 10 ** decimals;
    const candidate = Math.ceil(low * unit - 1e-9) / unit;
    if (candidate > 0 && candidate < high && candidate <= 1) return candidate;
  }
  return null;
}

/** The α that gives these channel counts; null if none does. */
function alphaOf(convolutions: readonly ConvSummary[]): number | null {
  const bases = [FIRST_CHANNELS, ...BLOCKS.map(([channels]) => channels)];
  const counts = convolutions
    .filter(({ depthwise }) => !depthwise)
    .map(({ output }) => output[2] ?? 0);
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  for (const [index, base] of bases.entries()) {
    const count = counts[index] ?? 0;
    if (count !== MIN_CHANNELS) low = Math.max(low, count / base);
    high = Math.min(high, (count + 1) / base);
  }
  return roundestIn(low, high);
}

function fits(convolutions: readonly ConvSummary[], network: MobilenetV1): boolean {
  const expected = describeMobilenetV1(network).layers.filter(
    ({ kind }) => kind !== 'average-pool',
  );
  return (
    expected.length === convolutions.length &&
    expected.every((layer, index) =>
      sameConvolution({ ...layer, depthwise: layer.kind === 'depthwise' }, convolutions[index]),
    )
  );
}

/**
 * Recognises a MobileNetV1 classifier by its layers: number, kind, kernel, stride and output shape of
 * every convolution. Null if the graph is another network.
 */
export function identifyMobilenetV1(graph: Graph): MobilenetV1 | null {
  const kinds = ['conv', 'global-average-pool', 'reshape', 'normalize'];
  if (graph.operators.some(({ kind }) => !kinds.includes(kind))) return null;
  const convolutions = graph.operators
    .filter((operator) => operator.kind === 'conv')
    .map((operator) => summaryOf(graph, operator));
  const [inputName] = graph.inputs;
  const size = inputName === undefined ? 0 : (tensorOf(graph, inputName).shape[1] ?? 0);
  const classes = convolutions.at(-1)?.output[2] ?? 0;
  if (convolutions.length !== 2 + 2 * BLOCKS.length) return null;
  if (size < 32 || size > 4096 || size % 32 !== 0 || classes < 1) return null;
  const alpha = alphaOf(convolutions);
  if (alpha === null) return null;
  const network = { alpha, size, classes };
  return fits(convolutions, network) ? network : null;
}

/** A network of the family, by its layers. */
export interface MobilenetIdentity {
  readonly family: 'mobilenet_v1' | 'mobilenet_v2';
  readonly alpha: number;
  /** Side of the input, pixels. */
  readonly size: number;
}

/** Width multipliers that are tried, the roundest first: published ones, then steps of 0.05. */
const ALPHAS = [
  1,
  0.5,
  0.75,
  0.25,
  0.35,
  1.3,
  1.4,
  ...Array.from({ length: 40 }, (_, step) => (step + 1) / 20),
];

/**
 * Recognises a MobileNetV2 by the layers before its pool; what head follows does not matter. Null if
 * the graph is another network. Where several α give the same channels, the roundest is taken.
 */
export function identifyMobilenetV2(graph: Graph): Omit<MobilenetIdentity, 'family'> | null {
  const convolutions = graph.operators
    .filter((operator) => operator.kind === 'conv')
    .map((operator) => summaryOf(graph, operator));
  const [inputName = ''] = graph.inputs;
  const size = graph.tensors.get(inputName)?.shape[1] ?? 0;
  if (size < 32 || size > 4096 || size % 32 !== 0) return null;
  const alpha = ALPHAS.find((candidate) => {
    const expected = mobilenetV2Convolutions(candidate, size);
    return (
      convolutions.length > expected.length &&
      expected.every((layer, index) => sameConvolution(layer, convolutions[index]))
    );
  });
  return alpha === undefined ? null : { alpha, size };
}

function sameConvolution(expected: ConvSummary, found: ConvSummary | undefined): boolean {
  return (
    found !== undefined &&
    found.depthwise === expected.depthwise &&
    found.kernel === expected.kernel &&
    found.stride === expected.stride &&
    found.output.join() === expected.output.join()
  );
}

/** Recognises a network of the family; null for any other. */
export function identifyMobilenet(graph: Graph): MobilenetIdentity | null {
  const first = identifyMobilenetV1(graph);
  if (first !== null) return { family: 'mobilenet_v1', alpha: first.alpha, size: first.size };
  const second = identifyMobilenetV2(graph);
  return second === null ? null : { family: 'mobilenet_v2', ...second };
}
