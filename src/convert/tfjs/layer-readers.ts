import type { UnnamedNode } from '../float-network/nodes.js';
import { batchNormScaleShift, outputFirst } from './fold.js';
import { own } from './json.js';
import {
  activationName,
  type Layer,
  paddingOf,
  pair,
  requireChannelsLast,
  unsupported,
  whole,
} from './layer-config.js';
import type { Constant } from './weights.js';

/** What a layer's reader works with. */
export interface LayerContext {
  /** A weight of the layer. @throws MND_MODEL_INVALID if the file has none of this name */
  weight(name: string): Constant;
  /** Adds a node, named after the layer and a part of it. @returns the name */
  add(node: UnnamedNode, part?: string): string;
}

/** Adds a layer's nodes. @returns the name of its result */
type LayerReader = (layer: Layer, inputs: readonly string[], context: LayerContext) => string;

function onlyInput(layer: Layer, inputs: readonly string[]): string {
  const [input] = inputs;
  if (input === undefined || inputs.length !== 1) {
    throw unsupported(layer, 'one input', `${inputs.length}`);
  }
  return input;
}

/** The activation function that is a layer's own, or that another layer has. */
function activate(layer: Layer, input: string, name: string, { add }: LayerContext): string {
  switch (name) {
    case 'linear':
      return input;
    case 'relu':
    case 'relu6':
    case 'sigmoid':
    case 'softmax':
      return add({ kind: 'activation', input, function: name }, name);
    case 'hard_swish':
    case 'hardswish':
      return add({ kind: 'activation', input, function: 'hard-swish' }, name);
    case 'swish':
    case 'silu': {
      const gate = add({ kind: 'activation', input, function: 'sigmoid' }, 'sigmoid');
      return add({ kind: 'mul', inputs: [input, gate] }, name);
    }
    default:
      throw unsupported(layer, 'relu, relu6, swish, hard_swish, sigmoid or softmax', name);
  }
}

function withBias(layer: Layer, input: string, context: LayerContext): string {
  if (own(layer.config, 'use_bias') === false) return input;
  const shift = context.weight('bias').values;
  return context.add({ kind: 'affine', input, scale: null, shift }, 'bias');
}

function finish(layer: Layer, input: string, context: LayerContext): string {
  return activate(layer, withBias(layer, input, context), activationName(layer), context);
}

const convolution: LayerReader = (layer, inputs, context) => {
  requireChannelsLast(layer);
  if (whole(layer, 'groups', 1) !== 1) throw unsupported(layer, 'one group', 'several');
  const { shape, values } = kernelOf(layer, context.weight('kernel'));
  const result = context.add(
    {
      kind: 'conv',
      input: onlyInput(layer, inputs),
      weights: outputFirst(values, shape),
      kernel: [shape[0], shape[1]],
      channels: shape[3],
      depthwise: false,
      ...geometryOf(layer),
    },
    'conv',
  );
  return finish(layer, result, context);
};

const depthwise: LayerReader = (layer, inputs, context) => {
  const input = addDepthwise(layer, onlyInput(layer, inputs), context);
  return finish(layer, input, context);
};

const separable: LayerReader = (layer, inputs, context) => {
  const input = addDepthwise(layer, onlyInput(layer, inputs), context);
  const { shape, values } = kernelOf(layer, context.weight('pointwise_kernel'));
  const weights = outputFirst(values, shape);
  const pointwise = context.add(
    {
      kind: 'conv',
      input,
      weights,
      kernel: [1, 1],
      channels: shape[3],
      depthwise: false,
      stride: [1, 1],
      dilation: [1, 1],
      padding: 'valid',
    },
    'pointwise',
  );
  return finish(layer, pointwise, context);
};

function addDepthwise(layer: Layer, input: string, { add, weight }: LayerContext): string {
  requireChannelsLast(layer);
  const { shape, values } = kernelOf(layer, weight('depthwise_kernel'));
  const [height, width, channels, multiplier] = shape;
  const node = { kind: 'conv', input, depthwise: true, ...geometryOf(layer) } as const;
  const weights = Float32Array.from(values);
  const kernel = [height, width] as const;
  return add({ ...node, weights, kernel, channels: channels * multiplier }, 'depthwise');
}

/** [height, width, in, out] of a kernel. */
function kernelOf(layer: Layer, { shape, values }: Constant) {
  const [height = 0, width = 0, inputs = 0, last = 0] = shape;
  if (shape.length !== 4 || values.length === 0) {
    throw unsupported(layer, 'weights [height, width, in, out]', `[${shape.join(', ')}]`);
  }
  return { shape: [height, width, inputs, last] as const, values };
}

function geometryOf(layer: Layer) {
  return {
    stride: pair(layer, 'strides', [1, 1]),
    dilation: pair(layer, 'dilation_rate', [1, 1]),
    padding: paddingOf(layer),
  };
}

const dense: LayerReader = (layer, inputs, context) => {
  const { shape, values } = context.weight('kernel');
  const [rows = 0, channels = 0] = shape;
  if (shape.length !== 2 || values.length === 0) {
    throw unsupported(layer, 'weights [in, out]', `[${shape.join(', ')}]`);
  }
  const weights = outputFirst(values, [1, 1, rows, channels]);
  const input = onlyInput(layer, inputs);
  const result = context.add({ kind: 'dense', input, weights, channels }, 'dense');
  return finish(layer, result, context);
};

const batchNorm: LayerReader = (layer, inputs, context) => {
  const axis = own(layer.config, 'axis') ?? -1;
  const last = Array.isArray(axis) ? axis[0] : axis;
  if (last !== -1 && last !== 3) throw unsupported(layer, 'the last axis', String(last));
  const mean = context.weight('moving_mean').values;
  const variance = context.weight('moving_variance').values;
  const ones = new Float32Array(mean.length).fill(1);
  const gamma = own(layer.config, 'scale') === false ? ones : context.weight('gamma').values;
  const beta =
    own(layer.config, 'center') === false
      ? new Float32Array(mean.length)
      : context.weight('beta').values;
  const epsilon = Number(own(layer.config, 'epsilon') ?? 1e-3);
  const { scale, shift } = batchNormScaleShift([gamma, beta, mean, variance], epsilon);
  return context.add({ kind: 'affine', input: onlyInput(layer, inputs), scale, shift });
};

const relu: LayerReader = (layer, inputs, context) => {
  const most = own(layer.config, 'max_value') ?? null;
  const plain = ['negative_slope', 'threshold'].every((key) => {
    const value = own(layer.config, key);
    const number = Array.isArray(value) ? value[0] : value;
    return (number ?? 0) === 0;
  });
  if (!plain || (most !== null && most !== 6)) {
    throw unsupported(layer, 'ReLU or ReLU6', `a maximum of ${String(most)} or a slope`);
  }
  return activate(layer, onlyInput(layer, inputs), most === 6 ? 'relu6' : 'relu', context);
};

const zeroPadding: LayerReader = (layer, inputs, context) => {
  requireChannelsLast(layer);
  const value = own(layer.config, 'padding') ?? 1;
  const [rows, columns] = Array.isArray(value) ? value : [value, value];
  const [top, bottom] = Array.isArray(rows) ? rows.map(Number) : [Number(rows), Number(rows)];
  const [left, right] = Array.isArray(columns)
    ? columns.map(Number)
    : [Number(columns), Number(columns)];
  const edges = [top, bottom, left, right];
  if (!edges.every((edge) => Number.isInteger(edge) && Number(edge) >= 0 && Number(edge) <= 64)) {
    throw unsupported(layer, 'up to 64 zeros at each side', JSON.stringify(value).slice(0, 80));
  }
  const padding = {
    top: Number(top),
    bottom: Number(bottom),
    left: Number(left),
    right: Number(right),
  };
  return context.add({ kind: 'pad', input: onlyInput(layer, inputs), padding });
};

const pool =
  (kind: 'max-pool' | 'average-pool'): LayerReader =>
  (layer, inputs, context) => {
    requireChannelsLast(layer);
    const kernel = pair(layer, 'pool_size', [2, 2]);
    const stride = pair(layer, 'strides', kernel);
    const padding = paddingOf(layer);
    return context.add({ kind, input: onlyInput(layer, inputs), kernel, stride, padding });
  };

const binary =
  (kind: 'add' | 'mul'): LayerReader =>
  (layer, inputs, context) => {
    const [first, second] = inputs;
    if (first === undefined || second === undefined || inputs.length !== 2) {
      throw unsupported(layer, 'two inputs', `${inputs.length}`);
    }
    return context.add({ kind, inputs: [first, second] });
  };

const reshape: LayerReader = (layer, inputs, context) => {
  const target = own(layer.config, 'target_shape');
  const sides = Array.isArray(target) ? target.map(Number) : [];
  // [channels], [1, channels] and [1, 1, channels] are one row.
  if (sides.length === 0 || !sides.slice(0, -1).every((side) => side === 1)) {
    throw unsupported(layer, 'a row of values, [1, 1, channels]', JSON.stringify(target) ?? 'none');
  }
  return context.add({ kind: 'flatten', input: onlyInput(layer, inputs) });
};

const rescaling: LayerReader = (layer, inputs, context) => {
  const numbers = (key: string, fallback: number) => {
    const value = own(layer.config, key) ?? fallback;
    const list = (Array.isArray(value) ? value : [value]).map(Number);
    if (list.every(Number.isFinite)) return list;
    throw unsupported(layer, `numbers as ${key}`, JSON.stringify(value).slice(0, 80));
  };
  const [scale, shift] = [numbers('scale', 1), numbers('offset', 0)];
  return context.add({ kind: 'affine', input: onlyInput(layer, inputs), scale, shift });
};

const passed: LayerReader = (layer, inputs, { add }) =>
  add({ kind: 'identity', input: onlyInput(layer, inputs) });

/** How each layer is read, by its class in Keras. */
export const LAYERS: Readonly<Record<string, LayerReader>> = {
  Conv2D: convolution,
  DepthwiseConv2D: depthwise,
  SeparableConv2D: separable,
  Dense: dense,
  BatchNormalization: batchNorm,
  ReLU: relu,
  Activation: (layer, inputs, context) =>
    activate(layer, onlyInput(layer, inputs), activationName(layer), context),
  Softmax: (layer, inputs, context) =>
    activate(layer, onlyInput(layer, inputs), 'softmax', context),
  ZeroPadding2D: zeroPadding,
  MaxPooling2D: pool('max-pool'),
  AveragePooling2D: pool('average-pool'),
  GlobalAveragePooling2D: (layer, inputs, context) =>
    context.add({ kind: 'global-average', input: onlyInput(layer, inputs) }),
  Flatten: (layer, inputs, context) =>
    context.add({ kind: 'flatten', input: onlyInput(layer, inputs) }),
  Reshape: reshape,
  Add: binary('add'),
  Multiply: binary('mul'),
  Rescaling: rescaling,
  Dropout: passed,
  SpatialDropout2D: passed,
  GaussianNoise: passed,
  ActivityRegularization: passed,
};
