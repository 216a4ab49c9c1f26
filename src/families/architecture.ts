import { codedError } from '../errors.js';

/** The two knobs of MobileNetV1 and the width of its last layer. */
export interface MobilenetV1 {
  /** Width multiplier α, in (0, 1]. */
  readonly alpha: number;
  /** Side of the square input in pixels, a multiple of 32 (the resolution multiplier ρ is size / 224). */
  readonly size: number;
  /** Outputs of the classifier; ImageNet's checkpoints have 1001 (background first). */
  readonly classes: number;
}

export type LayerKind = 'conv' | 'depthwise' | 'pointwise' | 'average-pool' | 'classifier';

export interface Layer {
  /** The name TensorFlow's reference implementation gives it. */
  readonly name: string;
  readonly kind: LayerKind;
  /** Side of the square kernel. */
  readonly kernel: number;
  readonly stride: number;
  /** Height, width and channels. */
  readonly input: readonly [number, number, number];
  readonly output: readonly [number, number, number];
  /** Weights, plus scale and shift of the batch norm (or the classifier's bias). */
  readonly parameters: number;
  /** Multiply-adds of one inference. */
  readonly multAdds: number;
}

export interface ArchitectureTotals {
  readonly parameters: number;
  readonly multAdds: number;
  /** The same network with a full 3×3 convolution for every depthwise-separable pair. */
  readonly standardParameters: number;
  readonly standardMultAdds: number;
}

export interface Architecture extends MobilenetV1 {
  readonly layers: readonly Layer[];
  readonly totals: ArchitectureTotals;
}

/** Output channels at α = 1 and stride of the 13 depthwise-separable blocks (paper, table 1). */
export const BLOCKS: readonly (readonly [channels: number, stride: number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
];

/** Output channels of the first convolution at α = 1. */
export const FIRST_CHANNELS = 32;

/** No layer of the reference implementation has fewer channels. */
export const MIN_CHANNELS = 8;

/** Channels of a layer that has `base` at α = 1. */
export function scaledChannels(base: number, alpha: number): number {
  return Math.max(MIN_CHANNELS, Math.floor(base * alpha));
}

function checkArchitecture({ alpha, size, classes }: MobilenetV1): void {
  if (!(alpha > 0 && alpha <= 1)) {
    throw codedError('MND_USAGE', {
      subject: 'alpha',
      expected: 'a number above 0, at most 1',
      found: `${alpha}`,
    });
  }
  if (!Number.isInteger(size) || size < 32 || size > 4096 || size % 32 !== 0) {
    throw codedError('MND_USAGE', {
      subject: 'size',
      expected: 'a multiple of 32 from 32 to 4096',
      found: `${size}`,
    });
  }
  if (!Number.isInteger(classes) || classes < 1 || classes > 1e6) {
    throw codedError('MND_USAGE', {
      subject: 'classes',
      expected: 'a whole number from 1 to 1000000',
      found: `${classes}`,
    });
  }
}

/** A convolution with batch norm; `perOutput` is the number of weights behind one output value. */
function convolution(
  name: string,
  kind: LayerKind,
  kernel: number,
  stride: number,
  input: readonly [number, number, number],
  channels: number,
): Layer {
  const [height, width, inChannels] = input;
  const output = [Math.ceil(height / stride), Math.ceil(width / stride), channels] as const;
  const perOutput = kernel * kernel * (kind === 'depthwise' ? 1 : inChannels);
  return {
    name,
    kind,
    kernel,
    stride,
    input,
    output,
    parameters: perOutput * channels + 2 * channels,
    multAdds: output[0] * output[1] * channels * perOutput,
  };
}

function head(input: readonly [number, number, number], classes: number): readonly Layer[] {
  const [height, , channels] = input;
  const pooled = [1, 1, channels] as const;
  return [
    {
      name: 'AvgPool_1a',
      kind: 'average-pool',
      kernel: height,
      stride: 1,
      input,
      output: pooled,
      parameters: 0,
      multAdds: 0,
    },
    {
      name: 'Conv2d_1c_1x1',
      kind: 'classifier',
      kernel: 1,
      stride: 1,
      input: pooled,
      output: [1, 1, classes],
      parameters: (channels + 1) * classes,
      multAdds: channels * classes,
    },
  ];
}

function sum(layers: readonly Layer[], count: (layer: Layer) => number): number {
  return layers.reduce((total, layer) => total + count(layer), 0);
}

/** What a depthwise and a pointwise layer cost as one full convolution; the rest is unchanged. */
function standardTotals(layers: readonly Layer[]) {
  let standardParameters = 0;
  let standardMultAdds = 0;
  let depthwise: Layer | null = null;
  for (const layer of layers) {
    if (layer.kind === 'depthwise') {
      depthwise = layer;
      continue;
    }
    const full: Layer =
      layer.kind === 'pointwise' && depthwise !== null
        ? convolution(
            layer.name,
            'conv',
            depthwise.kernel,
            depthwise.stride,
            depthwise.input,
            layer.output[2],
          )
        : layer;
    standardParameters += full.parameters;
    standardMultAdds += full.multAdds;
  }
  return { standardParameters, standardMultAdds };
}

/**
 * The layers of MobileNetV1 (Howard et al., arXiv 1704.04861, table 1) for any width multiplier and
 * input size: shapes, parameters and multiply-adds. Channels are rounded down, at least 8, as in
 * TensorFlow's reference implementation; padding is SAME. The global average pool counts no
 * multiply-adds, as in the paper.
 *
 * Throws MND_USAGE if α is not in (0, 1], the size no multiple of 32, or classes not positive.
 */
export function describeMobilenetV1(network: MobilenetV1): Architecture {
  checkArchitecture(network);
  const { alpha, size, classes } = network;
  const first = scaledChannels(FIRST_CHANNELS, alpha);
  const layers: Layer[] = [convolution('Conv2d_0', 'conv', 3, 2, [size, size, 3], first)];
  let shape: Layer['output'] = [size / 2, size / 2, first];
  for (const [index, [channels, stride]] of BLOCKS.entries()) {
    const name = `Conv2d_${index + 1}`;
    const depthwise = convolution(`${name}_depthwise`, 'depthwise', 3, stride, shape, shape[2]);
    const pointwise = convolution(
      `${name}_pointwise`,
      'pointwise',
      1,
      1,
      depthwise.output,
      scaledChannels(channels, alpha),
    );
    layers.push(depthwise, pointwise);
    shape = pointwise.output;
  }
  layers.push(...head(shape, classes));
  const totals = {
    parameters: sum(layers, ({ parameters }) => parameters),
    multAdds: sum(layers, ({ multAdds }) => multAdds),
    ...standardTotals(layers),
  };
  return { alpha, size, classes, layers, totals };
}
