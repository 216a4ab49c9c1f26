import type { Graph } from '../convert/graph.js';
import {
  beginsWith,
  type ConvSummary,
  convolutionsOf,
  expectedConvolutions,
  pictureSide,
} from './convolutions.js';
import { type Architecture, checkMember, type Family, type Member } from './family.js';
import {
  averagePool,
  biasedConvolution,
  convolution,
  type Layer,
  type MapShape,
  totalsOf,
} from './layers.js';

/** Output channels at α = 1 and stride of the 13 depthwise-separable blocks (paper, table 1). */
const BLOCKS: readonly (readonly [channels: number, stride: number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
];

/** Output channels of the first convolution at α = 1. */
const FIRST_CHANNELS = 32;

/** Input sizes are multiples of this, pixels; those of the published networks are of 32. */
const SIZE_STEP = 16;

/** No layer of the reference implementation has fewer channels. */
export const MIN_CHANNELS = 8;

/** Channels of a layer that has `base` at α = 1: rounded down. */
export function scaledChannels(base: number, alpha: number): number {
  return Math.max(MIN_CHANNELS, Math.floor(base * alpha));
}

/** The layers up to the last depthwise-separable block, for any input side. */
export function mobilenetV1Backbone(alpha: number, size: number): readonly Layer[] {
  const first = scaledChannels(FIRST_CHANNELS, alpha);
  const layers: Layer[] = [convolution('Conv2d_0', 'conv', 3, 2, [size, size, 3], first)];
  let shape: MapShape = layers[0]?.output ?? [0, 0, 0];
  for (const [index, [channels, stride]] of BLOCKS.entries()) {
    const name = `Conv2d_${index + 1}`;
    const depthwise = convolution(`${name}_depthwise`, 'depthwise', 3, stride, shape, shape[2]);
    const outputs = scaledChannels(channels, alpha);
    const pointwise = convolution(
      `${name}_pointwise`,
      'pointwise',
      1,
      1,
      depthwise.output,
      outputs,
    );
    layers.push(depthwise, pointwise);
    shape = pointwise.output;
  }
  return layers;
}

/**
 * The layers of MobileNetV1 (Howard et al., arXiv 1704.04861, table 1) for any width multiplier and
 * input size: shapes, parameters and multiply-adds. Channels are rounded down, at least 8, as in
 * TensorFlow's reference implementation.
 */
function describe(member: Member): Architecture {
  const alpha = checkMember(member, { alpha: 1, sizeStep: SIZE_STEP });
  const { size, classes } = member;
  const backbone = mobilenetV1Backbone(alpha, size);
  const last = backbone.at(-1)?.output ?? [0, 0, 0];
  const pool = averagePool('AvgPool_1a', last);
  const classifier = biasedConvolution('Conv2d_1c_1x1', 'classifier', 1, pool.output, classes);
  const layers = [...backbone, pool, classifier];
  return { ...member, layers, totals: totalsOf(layers) };
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

/** The α that gives a backbone's channel counts; null if none does. */
export function mobilenetV1Alpha(convolutions: readonly ConvSummary[]): number | null {
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

/** What a MobileNetV1 may consist of; a network with more in it is another one. */
const KINDS = ['conv', 'global-average-pool', 'reshape', 'normalize', 'picture'];

function recognise(graph: Graph): Member | null {
  if (graph.operators.some(({ kind }) => !KINDS.includes(kind))) return null;
  const convolutions = convolutionsOf(graph);
  const size = pictureSide(graph);
  const classes = convolutions.at(-1)?.output[2] ?? 0;
  if (convolutions.length !== 2 + 2 * BLOCKS.length) return null;
  if (size === 0 || size % SIZE_STEP !== 0 || classes < 1) return null;
  const alpha = mobilenetV1Alpha(convolutions);
  if (alpha === null) return null;
  const member = { alpha, size, classes };
  const expected = expectedConvolutions(describe(member).layers);
  return beginsWith(convolutions, expected) ? member : null;
}

/**
 * The one family with two knobs that are both published: α (width) and ρ (the input size over 224
 * pixels). Recognised by number, kind, kernel, stride and output shape of every convolution.
 */
export const MOBILENET_V1: Family = {
  name: 'mobilenet_v1',
  title: 'MobileNetV1',
  task: 'classify',
  bindsNames: true,
  recognise,
  describe,
};
