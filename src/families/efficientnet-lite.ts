import type { Graph } from '../convert/graph.js';
import {
  beginsWith,
  convolutionsOf,
  divisibleChannels,
  expectedConvolutions,
  outputsOf,
  pictureSide,
} from './convolutions.js';
import { checkMember, type Family, type Member } from './family.js';
import { averagePool, biasedConvolution, convolution, type Layer, totalsOf } from './layers.js';

/** Expansion, kernel, channels, repeats and first stride of each stage (Tan & Le 2019, table 1). */
const STAGES: readonly (readonly [number, number, number, number, number])[] = [
  [1, 3, 16, 1, 1],
  [6, 3, 24, 2, 2],
  [6, 5, 40, 2, 2],
  [6, 3, 80, 3, 2],
  [6, 5, 112, 3, 1],
  [6, 5, 192, 4, 2],
  [6, 3, 320, 1, 1],
];

/**
 * Width and depth of Lite0 to Lite4. They belong together (compound scaling), so there is no α to
 * choose: each is a family of its own.
 */
const SCALES: readonly (readonly [width: number, depth: number])[] = [
  [1, 1],
  [1, 1.1],
  [1.1, 1.2],
  [1.2, 1.4],
  [1.4, 1.8],
];

/** First and last convolution, and depth of first and last stage, are the same in all of them. */
const FIRST_CHANNELS = 32;
const LAST_CHANNELS = 1280;

function backbone(width: number, depth: number, size: number): readonly Layer[] {
  const layers = [convolution('stem', 'conv', 3, 2, [size, size, 3], FIRST_CHANNELS)];
  const input = () => layers.at(-1)?.output ?? ([0, 0, 0] as const);
  for (const [index, [expansion, kernel, base, count, firstStride]] of STAGES.entries()) {
    const fixed = index === 0 || index === STAGES.length - 1;
    const repeats = fixed ? count : Math.ceil(depth * count);
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const name = `stage_${index}/${repeat}`;
      const wide = input()[2] * expansion;
      if (expansion > 1) layers.push(convolution(`${name}/expand`, 'conv', 1, 1, input(), wide));
      const stride = repeat === 0 ? firstStride : 1;
      layers.push(convolution(`${name}/depthwise`, 'depthwise', kernel, stride, input(), wide));
      const outputs = divisibleChannels(base, width);
      layers.push(convolution(`${name}/project`, 'pointwise', 1, 1, input(), outputs));
    }
  }
  layers.push(convolution('head', 'conv', 1, 1, input(), LAST_CHANNELS));
  return layers;
}

/** EfficientNet-Lite0 to Lite4: EfficientNet without squeeze-and-excitation and with ReLU6. */
export const EFFICIENTNET_LITE: readonly Family[] = SCALES.map(([width, depth], number) => ({
  name: `efficientnet_lite${number}`,
  title: `EfficientNet-Lite${number}`,
  task: 'classify',
  bindsNames: false,
  recognise(graph: Graph): Member | null {
    const size = pictureSide(graph);
    if (graph.outputs.length !== 1 || size === 0) return null;
    const found = convolutionsOf(graph);
    const expected = expectedConvolutions(backbone(width, depth, size));
    const fits = found.length > expected.length && beginsWith(found, expected);
    return fits ? { alpha: null, size, classes: outputsOf(graph) } : null;
  },
  describe(member: Member) {
    checkMember(member, { alpha: null, sizeStep: 1 });
    const layers = [...backbone(width, depth, member.size)];
    const pool = averagePool('pool', layers.at(-1)?.output ?? [0, 0, 0]);
    layers.push(pool, biasedConvolution('dense', 'classifier', 1, pool.output, member.classes));
    return { ...member, layers, totals: totalsOf(layers) };
  },
}));
