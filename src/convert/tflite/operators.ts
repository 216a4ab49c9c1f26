import type { Padding, Tensor } from '../graph.js';
import {
  activationOf,
  addActivation,
  addConstant,
  badShape,
  fusedActivation,
  operandOf,
  type ReadContext,
  subjectOf,
  unsupported,
} from './context.js';
import type { TfliteOperator } from './model.js';
import { PADDINGS } from './schema.js';

type OperatorReader = (context: ReadContext, operator: TfliteOperator) => void;

/** Largest stride, dilation or kernel side; anything above is damage. */
const MAX_STEP = 1024;

function paddingMode(operator: TfliteOperator, field: number): Padding {
  const number = operator.options.int8(field, 0);
  const padding = PADDINGS[number];
  if (padding === undefined) throw unsupported(operator, 'padding SAME or VALID', `${number}`);
  return padding;
}

function step(operator: TfliteOperator, field: number, fallback: number, what: string): number {
  const value = operator.options.int32(field, fallback);
  if (value < 1 || value > MAX_STEP) {
    throw badShape(operator, `a ${what} from 1 to ${MAX_STEP}`, `${value}`);
  }
  return value;
}

function outputOf(context: ReadContext, operator: TfliteOperator): Tensor {
  const tensor = operandOf(context, operator, 'outputs', 0);
  return addActivation(context, subjectOf(operator), tensor);
}

/** Bias and weights of a convolution must fit the input: int8/uint8 with int32, float with float. */
function convConstants(
  context: ReadContext,
  operator: TfliteOperator,
  input: Tensor,
  weightShape: readonly number[],
): { readonly weights: string; readonly bias: string | null } {
  const quantized = input.type === 'uint8';
  const source = operandOf(context, operator, 'inputs', 1);
  const types = quantized ? (['uint8', 'int8'] as const) : (['float32'] as const);
  const weights = addConstant(context, operator, source, types, weightShape);
  if (quantized && weights.quantization === null) {
    throw badShape(operator, `tensor ${source.index} (${source.name}) to be quantized`, 'no scale');
  }
  if ((operator.inputs[2] ?? -1) < 0) return { weights: weights.name, bias: null };
  const bias = addConstant(context, operator, operandOf(context, operator, 'inputs', 2), [
    quantized ? 'int32' : 'float32',
  ]);
  return { weights: weights.name, bias: bias.name };
}

function requireSameType(operator: TfliteOperator, input: Tensor, output: Tensor): void {
  if (input.type !== output.type) {
    throw badShape(operator, `an output of type ${input.type}`, output.type);
  }
}

const readConv2d: OperatorReader = (context, operator) => {
  const input = activationOf(context, operator, 0);
  const { shape } = operandOf(context, operator, 'inputs', 1);
  const constants = convConstants(context, operator, input, shape);
  const output = outputOf(context, operator);
  requireSameType(operator, input, output);
  context.operators.push({
    kind: 'conv',
    input: input.name,
    ...constants,
    output: output.name,
    depthwise: false,
    stride: [step(operator, 2, 1, 'stride'), step(operator, 1, 1, 'stride')],
    dilation: [step(operator, 5, 1, 'dilation'), step(operator, 4, 1, 'dilation')],
    padding: paddingMode(operator, 0),
    activation: fusedActivation(operator, 3),
  });
};

const readDepthwiseConv2d: OperatorReader = (context, operator) => {
  const input = activationOf(context, operator, 0);
  const { shape } = operandOf(context, operator, 'inputs', 1);
  if (shape.length !== 4 || shape[0] !== 1) {
    throw badShape(operator, 'weights [1, height, width, channels]', `[${shape.join(', ')}]`);
  }
  const constants = convConstants(context, operator, input, shape.slice(1));
  const output = outputOf(context, operator);
  requireSameType(operator, input, output);
  context.operators.push({
    kind: 'conv',
    input: input.name,
    ...constants,
    output: output.name,
    depthwise: true,
    stride: [step(operator, 2, 1, 'stride'), step(operator, 1, 1, 'stride')],
    dilation: [step(operator, 6, 1, 'dilation'), step(operator, 5, 1, 'dilation')],
    padding: paddingMode(operator, 0),
    activation: fusedActivation(operator, 4),
  });
};

const readAveragePool: OperatorReader = (context, operator) => {
  const input = activationOf(context, operator, 0);
  const output = outputOf(context, operator);
  requireSameType(operator, input, output);
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
  context.operators.push({ kind: 'global-average-pool', input: input.name, output: output.name });
};

const readAdd: OperatorReader = (context, operator) => {
  const first = activationOf(context, operator, 0);
  const second = activationOf(context, operator, 1);
  const output = outputOf(context, operator);
  requireSameType(operator, first, output);
  requireSameType(operator, second, output);
  const shapes = [first, second, output].map(({ shape }) => shape.join(', '));
  if (shapes[0] !== shapes[2] || shapes[1] !== shapes[2]) {
    throw badShape(operator, 'two inputs and an output of one shape', `[${shapes.join('], [')}]`);
  }
  context.operators.push({
    kind: 'add',
    inputs: [first.name, second.name],
    output: output.name,
    activation: fusedActivation(operator, 0),
  });
};

function sameQuantization(first: Tensor, second: Tensor): boolean {
  return (
    first.quantization?.scale[0] === second.quantization?.scale[0] &&
    first.quantization?.zeroPoint[0] === second.quantization?.zeroPoint[0]
  );
}

const readReshape: OperatorReader = (context, operator) => {
  const input = activationOf(context, operator, 0);
  const output = outputOf(context, operator);
  requireSameType(operator, input, output);
  if (!sameQuantization(input, output)) {
    throw unsupported(operator, 'the same quantization before and after', 'another one');
  }
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

/** Readers of the operators that have a counterpart in the graph, by TensorFlow Lite's name. */
export const OPERATOR_READERS: Readonly<Record<string, OperatorReader>> = {
  CONV_2D: readConv2d,
  DEPTHWISE_CONV_2D: readDepthwiseConv2d,
  AVERAGE_POOL_2D: readAveragePool,
  ADD: readAdd,
  RESHAPE: readReshape,
  SQUEEZE: readReshape,
};
