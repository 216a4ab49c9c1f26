import { CODE } from './build-mobilenet.js';
import { createSpec, type SpecBuilder } from './build-small.js';
import type { ModelSpec } from './build-tflite.js';

/** Kernel, expanded channels, channels, squeeze-and-excitation, hard-swish (or ReLU), stride. */
type Block = readonly [
  kernel: number,
  expanded: number,
  channels: number,
  excite: boolean,
  hardSwish: boolean,
  stride: number,
];

/** Howard et al. 2019, "Searching for MobileNetV3" (arXiv 1905.02244), tables 1 and 2. */
const BLOCKS: Readonly<Record<'large' | 'small', readonly Block[]>> = {
  large: [
    [3, 16, 16, false, false, 1],
    [3, 64, 24, false, false, 2],
    [3, 72, 24, false, false, 1],
    [5, 72, 40, true, false, 2],
    [5, 120, 40, true, false, 1],
    [5, 120, 40, true, false, 1],
    [3, 240, 80, false, true, 2],
    [3, 200, 80, false, true, 1],
    [3, 184, 80, false, true, 1],
    [3, 184, 80, false, true, 1],
    [3, 480, 112, true, true, 1],
    [3, 672, 112, true, true, 1],
    [5, 672, 160, true, true, 2],
    [5, 960, 160, true, true, 1],
    [5, 960, 160, true, true, 1],
  ],
  small: [
    [3, 16, 16, true, false, 2],
    [3, 72, 24, false, false, 2],
    [3, 88, 24, false, false, 1],
    [5, 96, 40, true, true, 2],
    [5, 240, 40, true, true, 1],
    [5, 240, 40, true, true, 1],
    [5, 120, 48, true, true, 1],
    [5, 144, 48, true, true, 1],
    [5, 288, 96, true, true, 2],
    [5, 576, 96, true, true, 1],
    [5, 576, 96, true, true, 1],
  ],
};

const LAST = { large: [960, 1280], small: [576, 1024] } as const;

export interface MobilenetV3 {
  readonly kind: 'large' | 'small';
  readonly size: number;
  readonly classes: number;
  /** Blocks that are left away from the end, for a smaller file. */
  readonly shortened?: number;
  /** Channels of the last two layers before the classifier, if not the paper's. */
  readonly head?: readonly [number, number];
  /** Hard-swish as one operator, or as the operators that older converters leave of it. */
  readonly swish?: 'fused' | 'composed';
}

interface Value {
  readonly tensor: number;
  readonly side: number;
  readonly channels: number;
  readonly scale: number;
}

const RELU = 1;
const RELU6 = 3;

interface Convolution {
  readonly kernel?: number;
  readonly stride?: number;
  readonly channels?: number;
  readonly depthwise?: boolean;
  readonly activation?: 'none' | 'relu';
}

/** Ranges as training with simulated quantization finds them: results spread over most of them. */
const RELU_SCALE = 5.3 / 255;
const LINEAR_SCALE = 9.7 / 255;
const LINEAR_ZERO = 121;
const SWISH_SCALE = 6.1 / 255;
const SWISH_ZERO = 16;

function convolve(spec: SpecBuilder, input: Value, convolution: Convolution): Value {
  const { kernel = 1, stride = 1, depthwise = false, activation = 'none' } = convolution;
  const channels = depthwise ? input.channels : (convolution.channels ?? input.channels);
  const fanIn = kernel ** 2 * (depthwise ? 1 : input.channels);
  const shape = depthwise
    ? [1, kernel, kernel, channels]
    : [channels, kernel, kernel, input.channels];
  const deviation = Math.sqrt(2 / fanIn);
  const weights = spec.weights(shape, { type: 'uint8', deviation });
  const bias = spec.bias(input.scale, weights, channels);
  const side = Math.ceil(input.side / stride);
  const relu = activation === 'relu';
  const scale = Math.fround(relu ? RELU_SCALE : LINEAR_SCALE);
  const tensor = spec.activation([1, side, side, channels], scale, relu ? 0 : LINEAR_ZERO);
  const fused = relu ? RELU : 0;
  spec.operator({
    code: depthwise ? CODE.DEPTHWISE_CONV_2D : CODE.CONV_2D,
    inputs: [input.tensor, weights, bias],
    outputs: [tensor],
    options: depthwise
      ? {
          union: 2,
          int8: { 4: fused },
          int32: { 1: stride, 2: stride, 3: 1, 5: 1, 6: 1 },
        }
      : { union: 1, int8: { 3: fused }, int32: { 1: stride, 2: stride, 4: 1, 5: 1 } },
  });
  return { tensor, side, channels, scale };
}

function constant(spec: SpecBuilder, name: string, real: number): number {
  // The converters write a constant as the largest value of its own range.
  const scale = [Math.fround(real / 255)];
  return spec.tensor({
    name,
    type: 'uint8',
    shape: [],
    scale,
    zeroPoint: [0],
    data: Uint8Array.of(255),
  });
}

/** ReLU6(x + 3) / 6 as an addition and a multiplication. */
function hardSigmoid(spec: SpecBuilder, input: Value): Value {
  const shape = [1, input.side, input.side, input.channels];
  const sum = spec.activation(shape, 6 / 255, 0);
  spec.operator({
    code: CODE.ADD,
    inputs: [input.tensor, constant(spec, 'three', 3)],
    outputs: [sum],
    options: { union: 11, int8: { 0: RELU6 } },
  });
  const scale = Math.fround(1 / 255);
  const tensor = spec.activation(shape, scale, 0);
  spec.operator({
    code: CODE.MUL,
    inputs: [sum, constant(spec, 'a sixth', 1 / 6)],
    outputs: [tensor],
    options: { union: 21 },
  });
  return { ...input, tensor, scale };
}

function multiply(
  spec: SpecBuilder,
  input: Value,
  gate: Value,
  scale: number,
  zero: number,
): Value {
  const tensor = spec.activation([1, input.side, input.side, input.channels], scale, zero);
  spec.operator({
    code: CODE.MUL,
    inputs: [input.tensor, gate.tensor],
    outputs: [tensor],
    options: { union: 21 },
  });
  return { ...input, tensor, scale: Math.fround(scale) };
}

function hardSwish(spec: SpecBuilder, input: Value, swish: 'fused' | 'composed'): Value {
  if (swish === 'composed') {
    return multiply(spec, input, hardSigmoid(spec, input), SWISH_SCALE, SWISH_ZERO);
  }
  const shape = [1, input.side, input.side, input.channels];
  const tensor = spec.activation(shape, SWISH_SCALE, SWISH_ZERO);
  spec.operator({ code: CODE.HARD_SWISH, inputs: [input.tensor], outputs: [tensor] });
  return { ...input, tensor, scale: Math.fround(SWISH_SCALE) };
}

function mean(spec: SpecBuilder, input: Value): Value {
  const scale = Math.fround(2.9 / 255);
  const tensor = spec.activation([1, 1, 1, input.channels], scale, 20);
  const axes = { name: 'axes', type: 'int32', shape: [2], data: Int32Array.of(1, 2) } as const;
  spec.operator({
    code: CODE.MEAN,
    inputs: [input.tensor, spec.tensor(axes)],
    outputs: [tensor],
    options: { union: 27, int8: { 0: 1 } },
  });
  return { tensor, side: 1, channels: input.channels, scale };
}

function excite(spec: SpecBuilder, input: Value): Value {
  const squeezed = Math.max(8, Math.floor((input.channels / 4 + 4) / 8) * 8);
  const inner = convolve(spec, mean(spec, input), { channels: squeezed, activation: 'relu' });
  const gate = hardSigmoid(spec, convolve(spec, inner, { channels: input.channels }));
  return multiply(spec, input, gate, SWISH_SCALE, SWISH_ZERO);
}

function add(spec: SpecBuilder, first: Value, second: Value): Value {
  const scale = Math.fround(11.3 / 255);
  const tensor = spec.activation([1, first.side, first.side, first.channels], scale, 124);
  spec.operator({
    code: CODE.ADD,
    inputs: [first.tensor, second.tensor],
    outputs: [tensor],
    options: { union: 11 },
  });
  return { ...first, tensor, scale };
}

function bottleneck(spec: SpecBuilder, input: Value, block: Block, swish: 'fused' | 'composed') {
  const [kernel, expanded, channels, squeeze, useSwish, stride] = block;
  const nonlinear = (value: Value, convolution: Convolution) =>
    useSwish
      ? hardSwish(spec, convolve(spec, value, convolution), swish)
      : convolve(spec, value, { ...convolution, activation: 'relu' });
  const wide = expanded === input.channels ? input : nonlinear(input, { channels: expanded });
  let value = nonlinear(wide, { kernel, stride, depthwise: true });
  if (squeeze) value = excite(spec, value);
  value = convolve(spec, value, { channels });
  return stride === 1 && channels === input.channels ? add(spec, value, input) : value;
}

/** A quantized MobileNetV3 with pseudo-random weights: uint8 picture in, uint8 logits out. */
export function mobilenetV3Spec(network: MobilenetV3, seed = 1): ModelSpec {
  const { kind, size, classes, shortened = 0, swish = 'fused' } = network;
  const spec = createSpec(seed);
  const scale = Math.fround(1 / 128);
  const picture = spec.activation([1, size, size, 3], scale, 128);
  let value: Value = { tensor: picture, side: size, channels: 3, scale };
  value = hardSwish(spec, convolve(spec, value, { kernel: 3, stride: 2, channels: 16 }), swish);
  const blocks = BLOCKS[kind].slice(0, BLOCKS[kind].length - shortened);
  for (const block of blocks) value = bottleneck(spec, value, block, swish);
  const [wide, last] = network.head ?? LAST[kind];
  value = hardSwish(spec, convolve(spec, value, { channels: wide }), swish);
  value = hardSwish(spec, convolve(spec, mean(spec, value), { channels: last }), swish);
  value = convolve(spec, value, { channels: classes });
  const logits = spec.activation([1, classes], value.scale, LINEAR_ZERO);
  const shape = {
    name: 'shape',
    type: 'int32',
    shape: [2],
    data: Int32Array.of(1, classes),
  } as const;
  spec.operator({
    code: CODE.RESHAPE,
    inputs: [value.tensor, spec.tensor(shape)],
    outputs: [logits],
  });
  return spec.finish([picture], [logits]);
}
