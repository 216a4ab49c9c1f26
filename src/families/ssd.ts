import type { Graph } from '../convert/graph.js';
import { resolveShapes } from '../convert/resolve-shapes.js';
import {
  ALPHAS,
  convolutionsOf,
  expectedConvolutions,
  pictureSide,
  sameSet,
} from './convolutions.js';
import { type Architecture, checkMember, type Family, type Member } from './family.js';
import { biasedConvolution, convolution, type Layer, type MapShape, totalsOf } from './layers.js';

/** An SSD of TensorFlow's Object Detection API by the network that it stands on. */
export interface SsdPlan {
  readonly name: string;
  readonly title: string;
  /** The layers below, and the two of them (by name) whose results are looked at. */
  backbone(alpha: number, size: number): readonly Layer[];
  readonly sources: readonly [string, string];
  /** SSDLite: depthwise-separable convolutions in the added layers, and to read boxes and scores. */
  readonly lite: boolean;
}

/** Channels of the added layers at α = 1 (multi_resolution_feature_maps of the API). */
const ADDED_CHANNELS = [512, 256, 256, 128];
const LEAST_CHANNELS = 16;

/** Anchors in each cell: three in the lowest layer, six in the others. */
const ANCHORS = [3, 6, 6, 6, 6, 6];

/** Input side of the published detectors, for graphs that take any. */
const NATIVE_SIZE = 300;

function addedLayers({ lite }: SsdPlan, alpha: number, from: MapShape): readonly Layer[][] {
  let shape = from;
  return ADDED_CHANNELS.map((base, index) => {
    const channels = Math.max(LEAST_CHANNELS, Math.floor(base * alpha));
    const half = Math.max(LEAST_CHANNELS, Math.floor((base / 2) * alpha));
    const name = `added_${index}`;
    const narrow = convolution(`${name}_1x1`, 'conv', 1, 1, shape, half);
    const wide = lite
      ? separable(`${name}_3x3`, 2, narrow.output, channels)
      : [convolution(`${name}_3x3`, 'conv', 3, 2, narrow.output, channels)];
    shape = wide.at(-1)?.output ?? shape;
    return [narrow, ...wide];
  });
}

function separable(name: string, stride: number, input: MapShape, channels: number): Layer[] {
  const depthwise = convolution(`${name}_depthwise`, 'depthwise', 3, stride, input, input[2]);
  return [depthwise, convolution(name, 'pointwise', 1, 1, depthwise.output, channels)];
}

/** What reads boxes and scores off one map. */
function readers({ lite }: SsdPlan, map: MapShape, layer: number, classes: number): Layer[] {
  const anchors = ANCHORS[layer] ?? 6;
  return (['boxes', 'scores'] as const).flatMap((kind) => {
    const channels = anchors * (kind === 'boxes' ? 4 : classes);
    const name = `${kind}_${layer}`;
    if (!lite) return [biasedConvolution(name, kind, 1, map, channels)];
    const depthwise = convolution(`${name}_depthwise`, 'depthwise', 3, 1, map, map[2]);
    return [depthwise, biasedConvolution(name, kind, 1, depthwise.output, channels)];
  });
}

function describe(plan: SsdPlan, member: Member): Architecture {
  const alpha = checkMember(member, { alpha: 2, sizeStep: 1 });
  const backbone = plan.backbone(alpha, member.size);
  const added = addedLayers(plan, alpha, backbone.at(-1)?.output ?? [0, 0, 0]);
  const sources = plan.sources.map((name) => backbone.find((layer) => layer.name === name));
  const maps = [...sources, ...added.map((layers) => layers.at(-1))];
  const heads = maps.flatMap((map, layer) =>
    readers(plan, map?.output ?? [0, 0, 0], layer, member.classes),
  );
  const layers = [...backbone, ...added.flat(), ...heads];
  return { ...member, layers, totals: totalsOf(layers) };
}

/** Columns of scores by the channels of all outputs; 0 if these are no boxes and scores. */
function classesOf(graph: Graph): number {
  const channels = graph.outputs.map((name) => graph.tensors.get(name)?.shape.at(-1) ?? 0);
  const anchors = ANCHORS.reduce((sum, count) => sum + count, 0);
  const classes = channels.reduce((sum, count) => sum + count, 0) / anchors - 4;
  return graph.outputs.length === 2 * ANCHORS.length && Number.isInteger(classes) ? classes : 0;
}

/** By all convolutions, in whatever order: boxes and scores are read off in between. */
function recognise(plan: SsdPlan, graph: Graph): Member | null {
  const classes = classesOf(graph);
  if (classes < 1) return null;
  const free = graph.inputs.some((name) => graph.tensors.get(name)?.shape[1] === -1);
  const fixed = free ? resolveShapes(graph, NATIVE_SIZE, NATIVE_SIZE) : graph;
  const size = pictureSide(fixed);
  if (size === 0) return null;
  const found = convolutionsOf(fixed);
  const alpha = ALPHAS.find((candidate) => {
    const { layers } = describe(plan, { alpha: candidate, size, classes });
    return sameSet(found, expectedConvolutions(layers));
  });
  return alpha === undefined ? null : { alpha, size, classes };
}

/** A family of SSD detectors. */
export function ssdFamily(plan: SsdPlan): Family {
  return {
    name: plan.name,
    title: plan.title,
    task: 'detect',
    bindsNames: false,
    recognise: (graph) => recognise(plan, graph),
    describe: (member) => describe(plan, member),
  };
}
