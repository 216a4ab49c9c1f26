import { createRandom } from '../random.js';

/** A graph model being built node by node, in the JSON form of tfjs-converter. */
export interface GraphBuilder {
  node(op: string, name: string, inputs: readonly string[], attributes?: object): string;
  constant(name: string, shape: readonly number[], values: ArrayLike<number>): string;
  /** A constant of random values between −amplitude and amplitude. */
  random(name: string, shape: readonly number[], amplitude: number): string;
  finish(shardBytes?: number): TfjsModel;
}

export interface TfjsModel {
  readonly document: ModelDocument;
  readonly modelJson: string;
  readonly shards: readonly Uint8Array[];
  readonly constants: ReadonlyMap<string, BuiltConstant>;
}

export interface BuiltConstant {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface NodeDocument {
  name: string;
  op: string;
  input: string[];
  attr: Record<string, unknown>;
}

export interface WeightDocument {
  name: string;
  shape: number[];
  dtype: string;
}

export interface ModelDocument {
  modelTopology: { node: NodeDocument[]; library: object; versions: object };
  weightsManifest: { paths: string[]; weights: WeightDocument[] }[];
}

export function createGraphBuilder(seed = 1): GraphBuilder {
  const nodes: NodeDocument[] = [];
  const constants = new Map<string, BuiltConstant>();
  const random = createRandom(seed);
  const constant = (name: string, shape: readonly number[], values: ArrayLike<number>) => {
    constants.set(name, { shape, values: Float32Array.from(values) });
    nodes.push({ name, op: 'Const', input: [], attr: {} });
    return name;
  };
  return {
    node(op, name, inputs, attributes = {}) {
      nodes.push({ name, op, input: [...inputs], attr: { ...attributes } });
      return name;
    },
    constant,
    random(name, shape, amplitude) {
      const count = shape.reduce((product, side) => product * side, 1);
      const values = Float32Array.from({ length: count }, () => {
        return ((random(2001) - 1000) / 1000) * amplitude;
      });
      return constant(name, shape, values);
    },
    finish(shardBytes = 1 << 20) {
      const { weights, shards } = pack(constants, shardBytes);
      const paths = shards.map((_, index) => `group1-shard${index + 1}of${shards.length}`);
      const document = {
        modelTopology: { node: nodes, library: {}, versions: {} },
        weightsManifest: [{ paths, weights }],
      };
      return { document, modelJson: JSON.stringify(document), shards, constants };
    },
  };
}

/** Bytes in order of the manifest; an int32 stands first, as published models mix types. */
function pack(constants: ReadonlyMap<string, BuiltConstant>, shardBytes: number) {
  const weights: WeightDocument[] = [{ name: 'unused/shape', shape: [2], dtype: 'int32' }];
  const parts = [new Uint8Array(Int32Array.of(-1, 4).buffer)];
  for (const [name, { shape, values }] of constants) {
    weights.push({ name, shape: [...shape], dtype: 'float32' });
    parts.push(new Uint8Array(values.slice().buffer));
  }
  const all = Buffer.concat(parts);
  const shards: Uint8Array[] = [];
  for (let at = 0; at < all.length; at += shardBytes) {
    shards.push(new Uint8Array(all.subarray(at, at + shardBytes)));
  }
  return { weights, shards };
}

const list = (values: readonly number[]) => ({ list: { i: values.map(String) } });

/** Attributes of a convolution; bytes in base64, as newer converters write them. */
export function convolution(stride = 1, padding = 'SAME') {
  return {
    strides: list([1, stride, stride, 1]),
    dilations: list([1, 1, 1, 1]),
    padding: { s: Buffer.from(padding).toString('base64') },
    data_format: { s: [...Buffer.from('NHWC')] },
  };
}

/** Preprocessing as the Object Detection API exports it: x · 2/255 − 1. */
export function addPreprocessing(builder: GraphBuilder): string {
  builder.node('Placeholder', 'image_tensor', []);
  builder.constant('Preprocessor/mul/x', [], [2 / 255]);
  builder.constant('Preprocessor/sub/y', [], [1]);
  builder.node('Mul', 'Preprocessor/mul', ['Preprocessor/mul/x', 'image_tensor']);
  return builder.node('Sub', 'Preprocessor/sub', ['Preprocessor/mul', 'Preprocessor/sub/y']);
}

/**
 * One of everything the published detector contains: a convolution with Add and Relu6, a depthwise
 * one with Mul and Add, a residual AddN whose bias comes after it, a FusedBatchNorm, a BiasAdd.
 */
export function buildBlockModel(shardBytes?: number): TfjsModel {
  const builder = createGraphBuilder(7);
  const { node, random, constant } = builder;
  addPreprocessing(builder);
  node('Conv2D', 'a', ['Preprocessor/sub', random('a/w', [3, 3, 3, 4], 0.5)], convolution(2));
  node('Add', 'a/add', ['a', random('a/b', [4], 1)]);
  node('Relu6', 'a/relu', ['a/add', '^image_tensor']);
  const depthwise = random('b/w', [3, 3, 4, 2], 0.7);
  node('DepthwiseConv2dNative', 'b', ['a/relu:0', depthwise], convolution(1));
  node('Mul', 'b/mul', [random('b/s', [8], 2), 'b']);
  node('AddV2', 'b/add', ['b/mul', random('b/b', [8], 1)]);
  node('Relu6', 'b/relu', ['b/add']);
  node('Conv2D', 'c', ['b/relu', random('c/w', [1, 1, 8, 4], 0.5)], convolution(1));
  node('Add', 'c/add', ['c', random('c/b', [4], 1)]);
  node('Conv2D', 'd', ['c/add', random('d/w', [1, 1, 4, 8], 0.5)], convolution(1));
  node('BiasAdd', 'd/add', ['d', random('d/b', [8], 1)], { data_format: { s: 'TkhXQw==' } });
  node('Relu', 'd/relu', ['d/add']);
  node('Conv2D', 'e', ['d/relu', random('e/w', [1, 1, 8, 4], 0.5)], convolution(1));
  node('AddN', 'e/sum', ['e', 'c/add'], { N: { i: '2' } });
  node('Add', 'e/add', ['e/sum', random('e/b', [4], 1)]);
  node('Conv2D', 'f', ['e/add', random('f/w', [2, 2, 4, 5], 0.5)], convolution(1, 'VALID'));
  const norm = [random('f/gamma', [5], 2), random('f/beta', [5], 1), random('f/mean', [5], 1)];
  const variance = constant('f/var', [5], [0.5, 1, 2, 0.1, 3]);
  node('FusedBatchNormV3', 'f/norm', ['f', ...norm, variance], { epsilon: { f: 0.001 } });
  return builder.finish(shardBytes);
}

export const BLOCK_CUT = { input: 'Preprocessor/sub', outputs: ['a/relu', 'e/add', 'f/norm'] };

/** A detector with the head of the COCO model on a chain of nine strided convolutions. */
export function buildDetector(): TfjsModel {
  const builder = createGraphBuilder(11);
  const { node, random } = builder;
  let feature = addPreprocessing(builder);
  let channels = 3;
  const boxes: string[] = [];
  const scores: string[] = [];
  for (let depth = 1; depth <= 9; depth += 1) {
    const weights = random(`l${depth}/w`, [3, 3, channels, 8], 0.5);
    node('Conv2D', `l${depth}`, [feature, weights], convolution(2));
    node('Add', `l${depth}/add`, [`l${depth}`, random(`l${depth}/b`, [8], 0.5)]);
    feature = node('Relu6', `l${depth}/relu`, [`l${depth}/add`]);
    channels = 8;
    const layer = depth - 4;
    if (layer < 0) continue;
    const anchors = layer === 0 ? 3 : 6;
    boxes.push(addHead(builder, `boxes${layer}`, feature, anchors * 4));
    scores.push(addHead(builder, `scores${layer}`, feature, anchors * 91));
  }
  node('ConcatV2', 'concat', [...boxes, 'axis']);
  node('ConcatV2', 'concat_1', [...scores, 'axis']);
  return builder.finish();
}

function addHead({ node, random }: GraphBuilder, name: string, feature: string, channels: number) {
  node('Conv2D', name, [feature, random(`${name}/w`, [1, 1, 8, channels], 0.4)], convolution(1));
  node('BiasAdd', `${name}/add`, [name, random(`${name}/b`, [channels], 0.5)]);
  return node('Reshape', `${name}/reshape`, [`${name}/add`, `${name}/stack`]);
}
