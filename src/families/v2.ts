/**
 * Bottlenecks of MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381, table 2): expansion, channels at
 * α = 1, repeats, stride of the first.
 */
const BOTTLENECKS: readonly (readonly [number, number, number, number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

const FIRST_CHANNELS = 32;
const LAST_CHANNELS = 1280;

/** A convolution as far as the architecture says how it must be. */
export interface ConvSummary {
  readonly depthwise: boolean;
  readonly kernel: number;
  readonly stride: number;
  /** Height, width, channels. */
  readonly output: readonly number[];
}

/**
 * Channels of a layer that has `base` at α = 1: the nearest multiple of 8, at least 8, and never more
 * than a tenth below the exact number, as in TensorFlow's reference implementation.
 */
export function divisibleChannels(base: number, alpha: number): number {
  const exact = base * alpha;
  const rounded = Math.max(8, Math.floor((exact + 4) / 8) * 8);
  return rounded < 0.9 * exact ? rounded + 8 : rounded;
}

/**
 * The convolutions of MobileNetV2 up to its pool for a width multiplier and an input size (pixels, a
 * multiple of 32). Below α = 1 the last layer keeps its 1280 channels.
 */
export function mobilenetV2Convolutions(alpha: number, size: number): readonly ConvSummary[] {
  const layers: ConvSummary[] = [];
  let side = size;
  let channels = 3;
  const add = (depthwise: boolean, kernel: number, stride: number, outputs: number) => {
    side = Math.ceil(side / stride);
    channels = outputs;
    layers.push({ depthwise, kernel, stride, output: [side, side, channels] });
  };
  add(false, 3, 2, divisibleChannels(FIRST_CHANNELS, alpha));
  for (const [expansion, base, repeats, firstStride] of BOTTLENECKS) {
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      if (expansion > 1) add(false, 1, 1, channels * expansion);
      add(true, 3, repeat === 0 ? firstStride : 1, channels);
      add(false, 1, 1, divisibleChannels(base, alpha));
    }
  }
  add(false, 1, 1, divisibleChannels(LAST_CHANNELS, Math.max(1, alpha)));
  return layers;
}
