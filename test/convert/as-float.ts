import type { ModelSpec, TensorSpec } from './build-tflite.js';

/** A quantized model in real numbers: as it was before somebody quantized it. */
export function asFloat(model: ModelSpec): ModelSpec {
  return { ...model, tensors: model.tensors.map(floatTensor) };
}

function floatTensor({ scale, zeroPoint = [], axis = 0, ...tensor }: TensorSpec): TensorSpec {
  if (scale === undefined || scale.length === 0) return tensor;
  const { data, shape } = tensor;
  if (data === undefined) return { ...tensor, type: 'float32' };
  // Values along the scales' axis, and how far apart their neighbours lie.
  const inner = shape.slice(axis + 1).reduce((product, side) => product * side, 1);
  const stored = Array.from(data as unknown as ArrayLike<number>);
  const values = stored.map((value, at) => {
    const channel = scale.length === 1 ? 0 : Math.floor(at / inner) % scale.length;
    return (scale[channel] ?? 1) * (value - (zeroPoint[channel] ?? 0));
  });
  return { ...tensor, type: 'float32', data: Float32Array.from(values) };
}
