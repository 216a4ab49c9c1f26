import type { Graph } from '../convert/graph.js';
import {
  ALPHAS,
  beginsWith,
  convolutionsOf,
  divisibleChannels,
  expectedConvolutions,
  outputsOf,
  pictureSide,
} from './convolutions.js';
import { type Architecture, checkMember, type Family, type Member } from './family.js';
import {
  averagePool,
  biasedConvolution,
  convolution,
  type Layer,
  type LayerKind,
  totalsOf,
} from './layers.js';

/**
 * Bottlenecks of MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381, table 2): expansion, channels at
 * α = 1, repeats, stride of the first.
 */
const BOTTLENECKS: readonly (readonly [number, number, number, number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

const FIRST_CHANNELS = 32;
const LAST_CHANNELS = 1280;

/**
 * The layers of MobileNetV2 up to its pool for a width multiplier and an input size (pixels). Below
 * α = 1 the last layer keeps its 1280 channels.
 */
export function mobilenetV2Backbone(alpha: number, size: number): readonly Layer[] {
  const layers: Layer[] = [];
  const add = (name: string, kind: LayerKind, kernel: number, stride: number, outputs: number) => {
    const input = layers.at(-1)?.output ?? ([size, size, 3] as const);
    layers.push(convolution(name, kind, kernel, stride, input, outputs));
  };
  const channels = () => layers.at(-1)?.output[2] ?? 3;
  add('Conv', 'conv', 3, 2, divisibleChannels(FIRST_CHANNELS, alpha));
  let block = 0;
  for (const [expansion, base, repeats, firstStride] of BOTTLENECKS) {
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const name = block === 0 ? 'expanded_conv' : `expanded_conv_${block}`;
      if (expansion > 1) add(`${name}/expand`, 'conv', 1, 1, channels() * expansion);
      add(`${name}/depthwise`, 'depthwise', 3, repeat === 0 ? firstStride : 1, channels());
      add(`${name}/project`, 'pointwise', 1, 1, divisibleChannels(base, alpha));
      block += 1;
    }
  }
  add('Conv_1', 'conv', 1, 1, divisibleChannels(LAST_CHANNELS, Math.max(1, alpha)));
  return layers;
}

function describe(member: Member): Architecture {
  const alpha = checkMember(member, { alpha: 2, sizeStep: 32 });
  const backbone = mobilenetV2Backbone(alpha, member.size);
  const pool = averagePool('AvgPool', backbone.at(-1)?.output ?? [0, 0, 0]);
  const logits = biasedConvolution('Logits', 'classifier', 1, pool.output, member.classes);
  const layers = [...backbone, pool, logits];
  return { ...member, layers, totals: totalsOf(layers) };
}

/** By the layers before the pool: what head follows does not matter, as long as one does. */
function recognise(graph: Graph): Member | null {
  if (graph.outputs.length !== 1) return null;
  const convolutions = convolutionsOf(graph);
  const size = pictureSide(graph);
  if (size === 0 || size % 32 !== 0) return null;
  const alpha = ALPHAS.find((candidate) => {
    const expected = expectedConvolutions(mobilenetV2Backbone(candidate, size));
    return convolutions.length > expected.length && beginsWith(convolutions, expected);
  });
  return alpha === undefined ? null : { alpha, size, classes: outputsOf(graph) };
}

/** Where several α give the same channels, the roundest is taken. */
export const MOBILENET_V2: Family = {
  name: 'mobilenet_v2',
  title: 'MobileNetV2',
  task: 'classify',
  bindsNames: true,
  recognise,
  describe,
};
