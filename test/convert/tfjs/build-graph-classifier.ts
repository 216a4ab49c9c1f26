import type { SavedModel } from './build-layers.js';
import { createGraphBuilder } from './build-tfjs.js';

const text = (value: string) => Buffer.from(value).toString('base64');
const NHWC = { data_format: { s: text('NHWC') }, T: { type: 'DT_FLOAT' } };

function convolution(stride: number, padding: 'SAME' | 'VALID', fused: readonly string[]) {
  return {
    ...NHWC,
    strides: { list: { i: ['1', `${stride}`, `${stride}`, '1'] } },
    dilations: { list: { i: ['1', '1', '1', '1'] } },
    padding: { s: text(padding) },
    num_args: { i: '1' },
    fused_ops: { list: { s: fused.map(text) } },
    explicit_paddings: { list: {} },
    epsilon: { f: 0 },
  };
}

/**
 * A classifier as tfjs-converter makes it of a SavedModel: fused convolutions, a picture of [0, 1] that it
 * scales itself, an average pool, a fused dense layer, softmax.
 */
export function classifierGraphModel(size = 32, classes = 4): SavedModel {
  const build = createGraphBuilder(5);
  const sides = ['-1', `${size}`, `${size}`, '3'].map((side) => ({ size: side }));
  build.node('Placeholder', 'input', [], {
    shape: { shape: { dim: sides } },
    dtype: { type: 'DT_FLOAT' },
  });
  build.constant('mul/y', [], [2]);
  build.constant('sub/y', [], [1]);
  build.node('Mul', 'mul', ['mul/y', 'input'], { T: { type: 'DT_FLOAT' } });
  build.node('Sub', 'sub', ['mul', 'sub/y'], { T: { type: 'DT_FLOAT' } });
  build.random('w1', [3, 3, 3, 8], 0.6);
  build.random('b1', [8], 0.3);
  build.node(
    '_FusedConv2D',
    'c1',
    ['sub', 'w1', 'b1'],
    convolution(2, 'SAME', ['BiasAdd', 'Relu6']),
  );
  build.random('w2', [3, 3, 8, 1], 0.8);
  build.random('b2', [8], 0.3);
  build.node(
    'FusedDepthwiseConv2dNative',
    'c2',
    ['c1', 'w2', 'b2'],
    convolution(1, 'SAME', ['BiasAdd', 'Relu6']),
  );
  build.random('w3', [1, 1, 8, 8], 0.6);
  build.random('b3', [8], 0.3);
  build.node('_FusedConv2D', 'c3', ['c2', 'w3', 'b3'], convolution(1, 'SAME', ['BiasAdd']));
  build.node('AddV2', 'sum', ['c1', 'c3'], { T: { type: 'DT_FLOAT' } });
  const half = `${size / 2}`;
  build.node('AvgPool', 'pool', ['sum'], {
    ...NHWC,
    ksize: { list: { i: ['1', half, half, '1'] } },
    strides: { list: { i: ['1', '1', '1', '1'] } },
    padding: { s: text('VALID') },
  });
  build.node('Squeeze', 'row', ['pool'], {
    squeeze_dims: { list: { i: ['1', '2'] } },
    T: { type: 'DT_FLOAT' },
  });
  build.random('w4', [8, classes], 2);
  build.random('b4', [classes], 0.5);
  build.node('_FusedMatMul', 'dense', ['row', 'w4', 'b4'], {
    T: { type: 'DT_FLOAT' },
    transpose_a: { b: false },
    transpose_b: { b: false },
    num_args: { i: '1' },
    fused_ops: { list: { s: [text('BiasAdd')] } },
    epsilon: { f: 0 },
  });
  build.node('Softmax', 'prediction', ['dense'], { T: { type: 'DT_FLOAT' } });
  build.node('Identity', 'Identity', ['prediction'], { T: { type: 'DT_FLOAT' } });
  const { document, shards } = build.finish();
  const signed = { ...document, format: 'graph-model' };
  return { document: signed as unknown as SavedModel['document'], shards };
}
