import { expectedConvolutions } from '#mobilenetd/families/convolutions.js';
import { mobilenetV2Backbone } from '#mobilenetd/families/mobilenet-v2.js';
import { CODE } from './build-mobilenet.js';
import { createSpec } from './build-small.js';
import type { ModelSpec } from './build-tflite.js';

interface Network {
  readonly size: number;
  readonly classes: number;
}

/** The convolutions of a MobileNetV2 with pseudo-random weights; residuals are left out. */
export function mobilenetV2Spec(
  { alpha, size, classes }: Network & { readonly alpha: number },
  seed = 1,
): ModelSpec {
  const convolutions = expectedConvolutions(mobilenetV2Backbone(alpha, size));
  return convolutionalSpec(convolutions, { size, classes }, seed);
}

/** Convolutions one behind the other with pseudo-random weights, then a mean and a dense layer. */
export function convolutionalSpec(
  convolutions: ReturnType<typeof expectedConvolutions>,
  { size, classes }: Network,
  seed = 1,
): ModelSpec {
  const spec = createSpec(seed);
  const picture = spec.activation([1, size, size, 3], 1 / 128, 128);
  let value = { tensor: picture, channels: 3, side: size, scale: Math.fround(1 / 128) };
  for (const { depthwise, kernel, stride, output } of convolutions) {
    const [side = 0, , channels = 0] = output;
    const fanIn = kernel ** 2 * (depthwise ? 1 : value.channels);
    const shape = depthwise
      ? [1, kernel, kernel, channels]
      : [channels, kernel, kernel, value.channels];
    const weights = spec.weights(shape, { type: 'uint8', deviation: Math.sqrt(2 / fanIn) });
    const scale = Math.fround(6 / 255);
    const tensor = spec.activation([1, side, side, channels], scale, 0);
    const inputs = [value.tensor, weights, spec.bias(value.scale, weights, channels)];
    spec.operator({
      code: depthwise ? CODE.DEPTHWISE_CONV_2D : CODE.CONV_2D,
      inputs,
      outputs: [tensor],
      options: depthwise
        ? { union: 2, int8: { 4: 3 }, int32: { 1: stride, 2: stride, 3: 1, 5: 1, 6: 1 } }
        : { union: 1, int8: { 3: 3 }, int32: { 1: stride, 2: stride, 4: 1, 5: 1 } },
    });
    value = { tensor, channels, side, scale };
  }
  const pooled = spec.activation([1, value.channels], value.scale, 0);
  const axes = { name: 'axes', type: 'int32', shape: [2], data: Int32Array.of(1, 2) } as const;
  spec.operator({
    code: CODE.MEAN,
    inputs: [value.tensor, spec.tensor(axes)],
    outputs: [pooled],
    options: { union: 27 },
  });
  const scores = spec.activation([1, classes], 0.05, 120);
  const weights = spec.weights([classes, value.channels], { type: 'uint8', deviation: 0.05 });
  spec.operator({
    code: CODE.FULLY_CONNECTED,
    inputs: [pooled, weights, spec.bias(value.scale, weights, classes)],
    outputs: [scores],
    options: { union: 8 },
  });
  return spec.finish([picture], [scores]);
}
