import {
  convolution,
  type ModelDocument,
  type NodeDocument,
  type WeightDocument,
} from './build-tfjs.js';

export type Damage = (document: ModelDocument, nodes: Nodes, weights: Weights) => void;
type Nodes = (name: string) => NodeDocument;
type Weights = (name: string) => WeightDocument;

const without = <T extends object>(document: T, key: keyof T) => {
  delete document[key];
};

/** Damage to the block model, with the error it must end in. */
export const CASES: readonly (readonly [
  name: string,
  code: string,
  message: RegExp,
  damage: Damage,
])[] = [
  [
    'no topology',
    'MND_MODEL_INVALID',
    /modelTopology/,
    (document) => without(document, 'modelTopology'),
  ],
  [
    'no manifest',
    'MND_MODEL_INVALID',
    /weightsManifest/,
    (document) => without(document, 'weightsManifest'),
  ],
  [
    'nodes that are no list',
    'MND_MODEL_INVALID',
    /a list for modelTopology.node/,
    ({ modelTopology }) => Object.assign(modelTopology, { node: { length: 1e9 } }),
  ],
  [
    'too many nodes',
    'MND_MODEL_TOO_LARGE',
    /at most 20000 nodes/,
    ({ modelTopology }) => {
      modelTopology.node = Array.from({ length: 20_001 }, () => ({}) as NodeDocument);
    },
  ],
  [
    'a node without a name',
    'MND_MODEL_INVALID',
    /text for the name/,
    (_, node) => Object.assign(node('c'), { name: 7 }),
  ],
  [
    'two nodes of one name',
    'MND_MODEL_INVALID',
    /unique names/,
    (_, node) => Object.assign(node('c'), { name: 'd' }),
  ],
  [
    'an input that is no name',
    'MND_MODEL_INVALID',
    /text for an input of "c"/,
    (_, node) => Object.assign(node('c'), { input: [null] }),
  ],
  [
    'an input that does not exist',
    'MND_MODEL_INVALID',
    /a node named "nowhere"/,
    (_, node) => Object.assign(node('c'), { input: ['nowhere', 'c/w'] }),
  ],
  [
    'a cycle',
    'MND_MODEL_INVALID',
    /without cycles.*"c"/,
    (_, node) => Object.assign(node('b'), { input: ['c', 'b/w'] }),
  ],
  [
    'a node that is its own input',
    'MND_MODEL_INVALID',
    /without cycles/,
    (_, node) => Object.assign(node('c'), { input: ['c', 'c/w'] }),
  ],
  [
    'an unknown operator',
    'MND_MODEL_OPERATOR',
    /Softplus "a\/relu"/,
    (_, node) => Object.assign(node('a/relu'), { op: 'Softplus' }),
  ],
  [
    'a second output of a node',
    'MND_MODEL_INVALID',
    /"a\/relu:1"/,
    (_, node) => Object.assign(node('b'), { input: ['a/relu:1', 'b/w'] }),
  ],
  [
    'channels first',
    'MND_MODEL_OPERATOR',
    /NHWC.*NCHW/,
    (_, node) => Object.assign(node('c').attr, { data_format: { s: 'TkNIVw==' } }),
  ],
  [
    'explicit padding',
    'MND_MODEL_OPERATOR',
    /SAME or VALID.*EXPLICIT/,
    (_, node) => Object.assign(node('c').attr, convolution(1, 'EXPLICIT')),
  ],
  [
    'a stride over the batch',
    'MND_MODEL_OPERATOR',
    /strides of the form/,
    (_, node) => Object.assign(node('c').attr, { strides: { list: { i: ['2', '1', '1', '1'] } } }),
  ],
  [
    'no strides',
    'MND_MODEL_OPERATOR',
    /strides of the form/,
    (_, node) => Object.assign(node('c').attr, { strides: 'x' }),
  ],
  [
    'an epsilon that is no number',
    'MND_MODEL_OPERATOR',
    /epsilon/,
    (_, node) => Object.assign(node('f/norm').attr, { epsilon: { f: 'NaN' } }),
  ],
  [
    'a batch norm for training',
    'MND_MODEL_OPERATOR',
    /for inference/,
    (_, node) => Object.assign(node('f/norm').attr, { is_training: { b: true } }),
  ],
  [
    'a sum of three',
    'MND_MODEL_OPERATOR',
    /addition of two/,
    (_, node) => node('e/sum').input.push('e'),
  ],
  [
    'a constant added to a sum that others read',
    'MND_MODEL_OPERATOR',
    /alone before it|added to a sum/,
    (_, node) => Object.assign(node('f'), { input: ['e/sum', 'f/w'] }),
  ],
  [
    'an activation after an activation',
    'MND_MODEL_OPERATOR',
    /right after a convolution/,
    (_, node) => Object.assign(node('b/relu'), { input: ['a/relu'] }),
  ],
  [
    'weights that are computed',
    'MND_MODEL_OPERATOR',
    /a constant as input 2/,
    (_, node) => Object.assign(node('c'), { input: ['b/relu', 'a/relu'] }),
  ],
  [
    'a constant without values',
    'MND_MODEL_OPERATOR',
    /without values/,
    (_, __, weight) => Object.assign(weight('c/w'), { name: 'lost' }),
  ],
  [
    'two weights of one name',
    'MND_MODEL_INVALID',
    /unique names/,
    (_, __, weight) => Object.assign(weight('c/w'), { name: 'd/w' }),
  ],
  [
    'weights for other channels',
    'MND_MODEL_SHAPE',
    /\[height, width, 8, n\]/,
    (_, __, weight) => Object.assign(weight('c/w'), { shape: [1, 1, 4, 8] }),
  ],
  [
    'a bias of another length',
    'MND_MODEL_SHAPE',
    /4 values/,
    (_, node) => Object.assign(node('c/add'), { input: ['c', 'd/b'] }),
  ],
  [
    'a weight of strings',
    'MND_MODEL_SHAPE',
    /float32, int32 or bool/,
    (_, __, weight) => Object.assign(weight('c/w'), { dtype: 'string' }),
  ],
  [
    'a quantized weight',
    'MND_MODEL_SHAPE',
    /a quantization to uint8, uint16 or float16/,
    (_, __, weight) => Object.assign(weight('c/w'), { quantization: { scale: 1, min: 0 } }),
  ],
  [
    'a negative side',
    'MND_MODEL_SHAPE',
    /whole numbers/,
    (_, __, weight) => Object.assign(weight('c/w'), { shape: [1, 1, -8, 4] }),
  ],
  [
    'a shape that is no number',
    'MND_MODEL_SHAPE',
    /whole numbers/,
    (_, __, weight) => Object.assign(weight('c/w'), { shape: ['x'] }),
  ],
  [
    'a shape without end',
    'MND_MODEL_SHAPE',
    /up to 8 dimensions/,
    (_, __, weight) => Object.assign(weight('c/w'), { shape: Array(1000).fill(1) }),
  ],
  [
    'weights beyond any memory',
    'MND_MODEL_TOO_LARGE',
    /bytes of weights/,
    (_, __, weight) => Object.assign(weight('c/w'), { shape: [1, 1, 8192, 16384] }),
  ],
  [
    'a larger weight than there are bytes',
    'MND_MODEL_TRUNCATED',
    /bytes/,
    (_, __, weight) => Object.assign(weight('c/w'), { shape: [1, 1, 8, 8] }),
  ],
  [
    'a smaller weight than there are bytes',
    'MND_MODEL_INVALID',
    /bytes/,
    (_, __, weight) => Object.assign(weight('c/w'), { shape: [1, 1, 8, 1] }),
  ],
  [
    'another preprocessing',
    'MND_MODEL_MISMATCH',
    /multiplied by one number/,
    (_, node) => Object.assign(node('Preprocessor/sub'), { op: 'Identity' }),
  ],
];
