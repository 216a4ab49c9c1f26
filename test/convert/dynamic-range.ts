import { parseTflite } from '#mobilenetd/convert/tflite/model.js';
import { buildTflite, type TensorSpec } from './build-tflite.js';
import { operatorSpec, tensorSpec } from './float-ends.js';

/** Where an operator's weights have their output channels. */
const AXES: Readonly<Record<string, number>> = {
  CONV_2D: 0,
  DEPTHWISE_CONV_2D: 3,
  FULLY_CONNECTED: 0,
};

/**
 * A float network with int8 weights as TensorFlow's converter stores them for dynamic-range
 * quantization: a scale a channel for convolutions, one for all of a dense layer.
 */
export function withRangedWeights(file: Uint8Array): Uint8Array {
  const model = parseTflite(file);
  const tensors: TensorSpec[] = model.tensors.map(tensorSpec);
  for (const { name, inputs } of model.operators) {
    const axis = AXES[name];
    const at = inputs[1] ?? -1;
    const tensor = tensors[at];
    if (axis === undefined || !(tensor?.data instanceof Float32Array)) continue;
    tensors[at] = ranged(tensor, tensor.data, name === 'FULLY_CONNECTED' ? null : axis);
  }
  const operators = model.operators.map(operatorSpec);
  return buildTflite({ tensors, operators, inputs: model.inputs, outputs: model.outputs });
}

function ranged(tensor: TensorSpec, values: Float32Array, axis: number | null): TensorSpec {
  const channels = axis === null ? 1 : (tensor.shape[axis] ?? 1);
  const inner = axis === null ? 1 : tensor.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const channelOf = (at: number) => (axis === null ? 0 : Math.floor(at / inner) % channels);
  const peaks = new Float64Array(channels).fill(1e-9);
  for (const [at, value] of values.entries()) {
    peaks[channelOf(at)] = Math.max(peaks[channelOf(at)] ?? 0, Math.abs(value));
  }
  const scale = Array.from(peaks, (peak) => Math.fround(peak / 127));
  const data = Int8Array.from(values, (value, at) =>
    Math.round(value / (scale[channelOf(at)] ?? 1)),
  );
  const zeroPoint = scale.map(() => 0);
  return { ...tensor, type: 'int8', scale, zeroPoint, axis: axis ?? 0, data };
}
