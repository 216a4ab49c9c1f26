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
  type MapShape,
  totalsOf,
} from './layers.js';

/** Kernel, expanded channels and channels at α = 1, squeeze-and-excitation, stride. */
type Block = readonly [
  kernel: number,
  expanded: number,
  channels: number,
  squeezes: boolean,
  stride: number,
];

interface Variety {
  readonly name: string;
  readonly title: string;
  readonly blocks: readonly Block[];
  /** Channels of the last two layers before the classifier. */
  readonly last: readonly [number, number];
}

/** Howard et al. 2019, "Searching for MobileNetV3" (arXiv 1905.02244), tables 1 and 2. */
const LARGE: Variety = {
  name: 'mobilenet_v3_large',
  title: 'MobileNetV3 large',
  last: [960, 1280],
  blocks: [
    [3, 16, 16, false, 1],
    [3, 64, 24, false, 2],
    [3, 72, 24, false, 1],
    [5, 72, 40, true, 2],
    [5, 120, 40, true, 1],
    [5, 120, 40, true, 1],
    [3, 240, 80, false, 2],
    [3, 200, 80, false, 1],
    [3, 184, 80, false, 1],
    [3, 184, 80, false, 1],
    [3, 480, 112, true, 1],
    [3, 672, 112, true, 1],
    [5, 672, 160, true, 2],
    [5, 960, 160, true, 1],
    [5, 960, 160, true, 1],
  ],
};

const SMALL: Variety = {
  name: 'mobilenet_v3_small',
  title: 'MobileNetV3 small',
  last: [576, 1024],
  blocks: [
    [3, 16, 16, true, 2],
    [3, 72, 24, false, 2],
    [3, 88, 24, false, 1],
    [5, 96, 40, true, 2],
    [5, 240, 40, true, 1],
    [5, 240, 40, true, 1],
    [5, 120, 48, true, 1],
    [5, 144, 48, true, 1],
    [5, 288, 96, true, 2],
    [5, 576, 96, true, 1],
    [5, 576, 96, true, 1],
  ],
};

const FIRST_CHANNELS = 16;

/** A quarter of the channels looks at the whole map, and says of each channel how much counts. */
function squeeze(name: string, map: MapShape): readonly Layer[] {
  const [, , channels] = map;
  const pool = averagePool(`${name}/pool`, map);
  const inner = divisibleChannels(channels / 4, 1);
  const reduce = biasedConvolution(`${name}/reduce`, 'squeeze', 1, pool.output, inner);
  const expand = biasedConvolution(`${name}/expand`, 'squeeze', 1, reduce.output, channels);
  return [pool, reduce, expand];
}

function backbone({ blocks, last }: Variety, alpha: number, size: number): readonly Layer[] {
  const layers: Layer[] = [];
  const first = divisibleChannels(FIRST_CHANNELS, alpha);
  layers.push(convolution('Conv', 'conv', 3, 2, [size, size, 3], first));
  let shape: MapShape = layers[0]?.output ?? [0, 0, 0];
  for (const [index, [kernel, expanded, base, squeezes, stride]] of blocks.entries()) {
    const name = index === 0 ? 'expanded_conv' : `expanded_conv_${index}`;
    // The reference multiplies the expansion's ratio with channels that are rounded already.
    const before = index === 0 ? FIRST_CHANNELS : (blocks[index - 1]?.[2] ?? 0);
    const wide = divisibleChannels((expanded / before) * shape[2], 1);
    if (expanded !== before || index > 0) {
      if (wide !== shape[2]) layers.push(convolution(`${name}/expand`, 'conv', 1, 1, shape, wide));
    }
    const input = layers.at(-1)?.output ?? shape;
    const depthwise = convolution(
      `${name}/depthwise`,
      'depthwise',
      kernel,
      stride,
      input,
      input[2],
    );
    layers.push(depthwise);
    if (squeezes) layers.push(...squeeze(`${name}/squeeze_excite`, depthwise.output));
    const outputs = divisibleChannels(base, alpha);
    const project = convolution(`${name}/project`, 'pointwise', 1, 1, depthwise.output, outputs);
    layers.push(project);
    shape = project.output;
  }
  const wide = divisibleChannels(last[0], alpha);
  layers.push(convolution('Conv_1', 'conv', 1, 1, shape, wide));
  return layers;
}

function describe(variety: Variety, member: Member): Architecture {
  const alpha = checkMember(member, { alpha: 2, sizeStep: 32 });
  const layers = [...backbone(variety, alpha, member.size)];
  const pool = averagePool('AvgPool', layers.at(-1)?.output ?? [0, 0, 0]);
  const channels = divisibleChannels(variety.last[1], Math.max(1, alpha));
  const wide = biasedConvolution('Conv_2', 'conv', 1, pool.output, channels);
  const logits = biasedConvolution('Logits', 'classifier', 1, wide.output, member.classes);
  layers.push(pool, wide, logits);
  return { ...member, layers, totals: totalsOf(layers) };
}

/** Below this the last layers work on one pixel too, and cannot be told from what looks at channels. */
const LEAST_SIZE = 64;

/**
 * By the layers before the last pool that work on whole maps: converters write the small ones between
 * them, and those behind the pool, in different ways.
 */
function recognise(variety: Variety, graph: Graph): Member | null {
  if (graph.outputs.length !== 1) return null;
  const found = convolutionsOf(graph).filter(({ output }) => output[0] !== 1 || output[1] !== 1);
  const size = pictureSide(graph);
  if (size < LEAST_SIZE || size % 32 !== 0) return null;
  const alpha = ALPHAS.find((candidate) => {
    const layers = backbone(variety, candidate, size).filter(({ kind }) => kind !== 'squeeze');
    return (
      found.length === expectedConvolutions(layers).length &&
      beginsWith(found, expectedConvolutions(layers))
    );
  });
  return alpha === undefined ? null : { alpha, size, classes: outputsOf(graph) };
}

function familyOf(variety: Variety): Family {
  return {
    name: variety.name,
    title: variety.title,
    task: 'classify',
    // Exports of several converters name their files so and cut the network in different ways.
    bindsNames: false,
    recognise: (graph) => recognise(variety, graph),
    describe: (member) => describe(variety, member),
  };
}

export const MOBILENET_V3_LARGE: Family = familyOf(LARGE);
export const MOBILENET_V3_SMALL: Family = familyOf(SMALL);
