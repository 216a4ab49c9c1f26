import { fieldsOf, textOf } from '../own-onnx/fields.js';
import type { OnnxNode } from '../own-onnx/parse.js';
import type { GraphView } from './graph-view.js';

/** A value that an embedding is made of. */
export interface FeatureValue {
  readonly name: string;
  /** Names of scale and zero point where it is stored in eight bits; null for real numbers. */
  readonly stored: { readonly scale: string; readonly zeroPoint: string } | null;
  /** Whether it has height and width, which are averaged over. */
  readonly spatial: boolean;
}

/** Operators with weights, and where they name the scale and zero point of what they read. */
const LAYERS: Readonly<Record<string, { spatial: boolean; stored?: readonly [number, number] }>> = {
  Conv: { spatial: true },
  FusedConv: { spatial: true },
  QLinearConv: { spatial: true, stored: [1, 2] },
  ConvInteger: { spatial: true },
  Gemm: { spatial: false },
  FusedGemm: { spatial: false },
  QGemm: { spatial: false, stored: [1, 2] },
  MatMul: { spatial: false },
  FusedMatMul: { spatial: false },
  QLinearMatMul: { spatial: false, stored: [1, 2] },
  MatMulInteger: { spatial: false },
  DynamicQuantizeMatMul: { spatial: false },
};

/** Operators that change shapes alone. */
const SHAPES = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity', 'Dropout']);

/**
 * What a classifier's last layer reads: from its output backwards, past all that has no weights, to the
 * first convolution or fully connected layer. Where that reads the quantized mean over height and width,
 * the value before the mean: the mean is made anew with real numbers, for most means are small and eight
 * bits would leave few steps of them.
 *
 * @returns null where there are branches before a layer is met, or none is
 */
export function lastFeatures(graph: GraphView, output: string): FeatureValue | null {
  const layer = layerBehind(graph, output);
  if (layer === null) return null;
  const kind = LAYERS[layer.opType];
  const name = graph.source(layer);
  if (kind === undefined || name === null) return null;
  if (layer.opType.endsWith('Integer')) return integerFeatures(graph, layer, kind.spatial);
  const [scale, zeroPoint] = (kind.stored ?? []).map((index) => layer.inputs[index] ?? '');
  const stored = scale === undefined || zeroPoint === undefined ? null : { scale, zeroPoint };
  const pool = pastShapes(graph, name);
  if (pool?.opType === 'QLinearGlobalAveragePool' && channelsFirst(pool)) {
    const [value = '', poolScale = '', poolZero = '', , outputZero] = pool.inputs;
    // Zero points that cancel out stand for where halves are rounded from: the layer's is the true one.
    const zero = poolZero === outputZero ? (zeroPoint ?? poolZero) : poolZero;
    return { name: value, stored: { scale: poolScale, zeroPoint: zero }, spatial: true };
  }
  return { name, stored, spatial: kind.spatial };
}

/**
 * The feature map that several heads of a detector share: where the ways back from them first meet.
 *
 * @param outputs of one feature map, at least two
 * @returns null where they do not meet
 */
export function sharedFeatures(graph: GraphView, outputs: readonly string[]): FeatureValue | null {
  const [first = '', ...others] = outputs;
  const ways = others.map((output) => new Set(wayBack(graph, output)));
  const name = wayBack(graph, first).find((value) => ways.every((way) => way.has(value)));
  if (name === undefined) return null;
  const reader = graph
    .consumers(name)
    .find(({ opType, inputs }) => opType === 'QLinearConv' && inputs[0] === name);
  if (reader !== undefined) {
    const [, scale = '', zeroPoint = ''] = reader.inputs;
    return { name, stored: { scale, zeroPoint }, spatial: true };
  }
  return { name, stored: null, spatial: true };
}

/** Values from an output backwards, as long as there is but one to go to. */
function wayBack(graph: GraphView, output: string): string[] {
  const way: string[] = [];
  for (let value: string | null = output; value !== null; ) {
    way.push(value);
    const node = graph.producer(value);
    value = node === undefined ? null : graph.source(node);
  }
  return way;
}

function layerBehind(graph: GraphView, output: string): OnnxNode | null {
  for (const value of wayBack(graph, output)) {
    const node = graph.producer(value);
    if (node !== undefined && Object.hasOwn(LAYERS, node.opType)) return node;
  }
  return null;
}

/** The operator before those that change the shape of a value alone. */
function pastShapes(graph: GraphView, value: string): OnnxNode | undefined {
  const node = graph.producer(value);
  if (node === undefined || !SHAPES.has(node.opType)) return node;
  const source = graph.source(node);
  return source === null ? undefined : pastShapes(graph, source);
}

/** Integer layers read what DynamicQuantizeLinear made of real numbers. */
function integerFeatures(graph: GraphView, layer: OnnxNode, spatial: boolean): FeatureValue | null {
  const quantize = graph.producer(layer.inputs[0] ?? '');
  const name = quantize?.opType === 'DynamicQuantizeLinear' ? quantize.inputs[0] : undefined;
  return name === undefined ? null : { name, stored: null, spatial };
}

/** Field numbers of NodeProto and AttributeProto. */
const NODE_ATTRIBUTE = 5;
const ATTRIBUTE = { name: 1, int: 3 } as const;

/** Whether a pool's channels come before height and width: attribute channels_last is absent or 0. */
function channelsFirst({ raw }: OnnxNode): boolean {
  const [node] = fieldsOf(raw);
  for (const field of fieldsOf(node?.bytes ?? new Uint8Array())) {
    if (field.number !== NODE_ATTRIBUTE || field.bytes === null) continue;
    const parts = [...fieldsOf(field.bytes)];
    const name = parts.find(({ number }) => number === ATTRIBUTE.name);
    if (name === undefined || textOf(name) !== 'channels_last') continue;
    return (parts.find(({ number }) => number === ATTRIBUTE.int)?.value ?? 0) === 0;
  }
  return true;
}
