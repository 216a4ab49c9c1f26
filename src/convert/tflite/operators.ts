import type { Tensor } from '../graph.js';
import {
  activationOf,
  badShape,
  constantValues,
  fusedActivation,
  operandOf,
  outputOf,
  type ReadContext,
  requireSameType,
  rowsAsMap,
  sameQuantization,
  unsupported,
} from './context.js';
import { readConv2d, readDepthwiseConv2d, readFullyConnected, readPad } from './convolution.js';
import {
  readAdd,
  readHardSwish,
  readMaxPool,
  readMul,
  readRelu,
  readRelu6,
  readSigmoid,
} from './elementwise.js';
import type { TfliteOperator } from './model-types.js';

type OperatorReader = (context: ReadContext, operator: TfliteOperator) => void;

function requireSameQuantization(operator: TfliteOperator, input: Tensor, output: Tensor): void {
  requireSameType(operator, input, output);
  if (!sameQuantization(input, output)) {
    throw unsupported(operator, 'the same quantization before and after', 'another one');
  }
}

const readAveragePool: OperatorReader = (context, operator) => {
  const input = activationOf(context, operator, 0);
  const output = outputOf(context, operator);
  requireSameQuantization(operator, input, output);
  const kernel = [operator.options.int32(4, 0), operator.options.int32(3, 0)];
  const whole = kernel[0] === input.shape[1] && kernel[1] === input.shape[2];
  const [, height, width, channels] = output.shape;
  if (!whole || height !== 1 || width !== 1 || channels !== input.shape[3]) {
    throw unsupported(
      operator,
      'an average over the whole height and width',
      `a window of ${kernel.join('×')} over [${input.shape.join(', ')}]`,
    );
  }
  const activation = fusedActivation(operator, 5);
  if (activation !== 'none') throw unsupported(operator, 'no fused activation', activation);
  const signed = operandOf(context, operator, 'inputs', 0).type === 'int8';
  context.operators.push({
    kind: 'global-average-pool',
    input: input.name,
    output: output.name,
    roundsFrom: signed ? 128 : 0,
  });
};

/** Scales further apart than this are damage; onnxruntime's pool has a fixed-point range. */
const MAX_SCALE_RATIO = 64;

const readMean: OperatorReader = (context, operator) => {
  const input = activationOf(context, operator, 0);
  const axes = operandOf(context, operator, 'inputs', 1);
  const values = Array.from(constantValues(operator, axes, ['int32']), (axis) =>
    axis < 0 ? axis + input.shape.length : axis,
  ).sort();
  const output = outputOf(context, operator);
  requireSameType(operator, input, output);
  const channels = input.shape[3] ?? 0;
  const shapes = [`1,1,1,${channels}`, `1,${channels}`];
  if (
    input.shape.length !== 4 ||
    values.join() !== '1,2' ||
    !shapes.includes(output.shape.join())
  ) {
    throw unsupported(
      operator,
      'a mean over the whole height and width',
      `axes ${values.join(', ')} of [${input.shape.join(', ')}]`,
    );
  }
  const [from = 1] = input.quantization?.scale ?? [];
  const [to = 1] = output.quantization?.scale ?? [];
  if (from / to > MAX_SCALE_RATIO || to / from > MAX_SCALE_RATIO) {
    throw unsupported(
      operator,
      `scales within a factor of ${MAX_SCALE_RATIO}`,
      `${from} and ${to}`,
    );
  }
  context.operators.push({ kind: 'global-average-pool', input: input.name, output: output.name });
};

const readReshape: OperatorReader = (context, operator) => {
  const input = activationOf(context, operator, 0);
  const { shape } = operandOf(context, operator, 'outputs', 0);
  const output = outputOf(context, operator, rowsAsMap(shape) ?? shape);
  requireSameQuantization(operator, input, output);
  const count = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1);
  if (count(input.shape) !== count(output.shape)) {
    throw badShape(
      operator,
      `${count(input.shape)} values after [${input.shape.join(', ')}]`,
      `[${output.shape.join(', ')}]`,
    );
  }
  context.operators.push({ kind: 'reshape', input: input.name, output: output.name });
};

/** From one quantization to another. uint8 to int8 of the same scale changes nothing here. */
const readQuantize: OperatorReader = (context, operator) => {
  const input = activationOf(context, operator, 0);
  const output = outputOf(context, operator);
  requireSameType(operator, input, output);
  if (input.shape.join() !== output.shape.join()) {
    throw badShape(operator, `[${input.shape.join(', ')}]`, `[${output.shape.join(', ')}]`);
  }
  if (sameQuantization(input, output) && !context.reserved.has(operator.outputs[0] ?? -1)) {
    context.tensors.delete(output.name);
    context.names.set(operator.outputs[0] ?? -1, input.name);
    return;
  }
  context.operators.push({ kind: 'requantize', input: input.name, output: output.name });
};

/** Readers of the operators that have a counterpart in the graph, by TensorFlow Lite's name. */
export const OPERATOR_READERS: Readonly<Record<string, OperatorReader>> = {
  CONV_2D: readConv2d,
  DEPTHWISE_CONV_2D: readDepthwiseConv2d,
  FULLY_CONNECTED: readFullyConnected,
  AVERAGE_POOL_2D: readAveragePool,
  MEAN: readMean,
  ADD: readAdd,
  MUL: readMul,
  HARD_SWISH: readHardSwish,
  LOGISTIC: readSigmoid,
  RELU: readRelu,
  RELU6: readRelu6,
  MAX_POOL_2D: readMaxPool,
  PAD: readPad,
  QUANTIZE: readQuantize,
  RESHAPE: readReshape,
  SQUEEZE: readReshape,
  EXPAND_DIMS: readReshape,
};
