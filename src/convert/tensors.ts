import { codedError } from '../errors.js';
import type { Graph, Quantization, Tensor, TensorData } from './graph.js';

/** The tensor of that name; MND_MODEL_INVALID if the graph has none. */
export function tensorOf(graph: Pick<Graph, 'tensors'>, name: string): Tensor {
  const tensor = graph.tensors.get(name);
  if (tensor === undefined) {
    throw codedError('MND_MODEL_INVALID', {
      subject: `tensor ${name}`,
      expected: 'every tensor an operator names to exist',
    });
  }
  return tensor;
}

/** The values of a constant; MND_MODEL_INVALID if the tensor is an activation. */
export function constantOf(tensor: Tensor): TensorData {
  if (tensor.data === null) {
    throw codedError('MND_MODEL_INVALID', {
      subject: `tensor ${tensor.name}`,
      expected: 'constant values',
      found: 'values that are computed at run time',
    });
  }
  return tensor.data;
}

/** The quantization of a tensor; MND_MODEL_INVALID if it has none. */
export function quantizationOf(tensor: Tensor): Quantization {
  if (tensor.quantization === null) {
    throw codedError('MND_MODEL_INVALID', {
      subject: `tensor ${tensor.name}`,
      expected: 'a scale and a zero point',
      found: 'no quantization',
    });
  }
  return tensor.quantization;
}

export interface ScalarQuantization {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** The one scale and zero point of a tensor that is not quantized per channel. */
export function scalarQuantization(tensor: Tensor): ScalarQuantization {
  const { scale, zeroPoint } = quantizationOf(tensor);
  const [onlyScale] = scale;
  const [onlyZeroPoint] = zeroPoint;
  if (scale.length !== 1 || onlyScale === undefined || onlyZeroPoint === undefined) {
    throw codedError('MND_MODEL_INVALID', {
      subject: `tensor ${tensor.name}`,
      expected: 'one scale and one zero point',
      found: `${scale.length} scales`,
    });
  }
  return { scale: onlyScale, zeroPoint: onlyZeroPoint };
}

/** Number of values; −1 if a dimension is only known at run time. */
export function elementCount(shape: readonly number[]): number {
  return shape.some((side) => side < 0) ? -1 : shape.reduce((product, side) => product * side, 1);
}

/** Four sides of an NHWC activation; MND_MODEL_SHAPE for any other rank. */
export function nhwcShape(tensor: Tensor): readonly [number, number, number, number] {
  const [batch, height, width, channels] = tensor.shape;
  if (
    tensor.shape.length !== 4 ||
    batch === undefined ||
    height === undefined ||
    width === undefined ||
    channels === undefined
  ) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: `tensor ${tensor.name}`,
      expected: 'four dimensions (batch, height, width, channels)',
      found: `[${tensor.shape.join(', ')}]`,
    });
  }
  return [batch, height, width, channels];
}
