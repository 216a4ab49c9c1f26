import type { ConvOperator, Graph } from '../convert/graph.js';
import { tensorOf } from '../convert/tensors.js';
import type { Layer } from './layers.js';

/** A convolution as far as an architecture says how it must be. */
export interface ConvSummary {
  readonly depthwise: boolean;
  /** Side of the kernel; 0 for one that is not square. */
  readonly kernel: number;
  readonly stride: number;
  /** Height, width, channels. */
  readonly output: readonly number[];
}

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

/**
 * The convolutions of a graph in order, without the one that makes a grey picture of RGB: it stands
 * before the network and not in it.
 */
export function convolutionsOf(graph: Graph): readonly ConvSummary[] {
  const convolutions = graph.operators.filter((operator) => operator.kind === 'conv');
  return convolutions.map((operator) => summaryOf(graph, operator));
}

/** The convolutions among an architecture's layers. */
export function expectedConvolutions(layers: readonly Layer[]): readonly ConvSummary[] {
  return layers
    .filter(({ kind }) => kind !== 'average-pool')
    .map(({ kind, kernel, stride, output }) => ({
      depthwise: kind === 'depthwise',
      kernel,
      stride,
      output,
    }));
}

function same(expected: ConvSummary, found: ConvSummary | undefined): boolean {
  return (
    found !== undefined &&
    found.depthwise === expected.depthwise &&
    found.kernel === expected.kernel &&
    found.stride === expected.stride &&
    found.output.join() === expected.output.join()
  );
}

/** Whether a graph begins with these convolutions. */
export function beginsWith(
  found: readonly ConvSummary[],
  expected: readonly ConvSummary[],
): boolean {
  return expected.every((layer, index) => same(layer, found[index]));
}

/** Whether both are the same convolutions, in whatever order. */
export function sameSet(found: readonly ConvSummary[], expected: readonly ConvSummary[]): boolean {
  if (found.length !== expected.length) return false;
  const keys = (list: readonly ConvSummary[]) =>
    list
      .map(({ depthwise, kernel, stride, output }) => [depthwise, kernel, stride, ...output].join())
      .sort();
  return keys(found).join(' ') === keys(expected).join(' ');
}

/** Side of the square picture that a graph takes, pixels; 0 if it has none of a fixed size. */
export function pictureSide(graph: Graph): number {
  const [name = ''] = graph.inputs;
  const [, height = 0, width = 0] = graph.tensors.get(name)?.shape ?? [];
  return height === width && height >= 32 && height <= 4096 ? height : 0;
}

/** Length of a classifier's output. */
export function outputsOf(graph: Graph): number {
  const [name = ''] = graph.outputs;
  return graph.tensors.get(name)?.shape.at(-1) ?? 0;
}

/** Width multipliers that are tried, the roundest first: published ones, then steps of 0.05. */
export const ALPHAS: readonly number[] = [
  ...[1, 0.5, 0.75, 0.25, 0.35, 1.3, 1.4],
  ...Array.from({ length: 40 }, (_, step) => (step + 1) / 20),
];

/**
 * Channels of a layer that has `base` at α = 1, in the networks from V2 on: the nearest multiple of
 * 8, at least 8, and never more than a tenth below the exact number, as in TensorFlow's reference
 * implementation.
 */
export function divisibleChannels(base: number, alpha: number): number {
  const exact = base * alpha;
  const rounded = Math.max(8, Math.floor((exact + 4) / 8) * 8);
  return rounded < 0.9 * exact ? rounded + 8 : rounded;
}
