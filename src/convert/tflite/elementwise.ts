import type { Activation, AddOperator, MulOperator, Tensor } from '../graph.js';
import {
  activationOf,
  addOperand,
  badShape,
  fusedActivation,
  operandOf,
  outputOf,
  type ReadContext,
  requireSameType,
  sameQuantization,
  unsupported,
} from './context.js';
import type { TfliteOperator } from './model-types.js';
import { PADDINGS } from './schema.js';

/** An input of an addition or multiplication: an activation, or a constant. */
function binaryInput(context: ReadContext, operator: TfliteOperator, place: number): Tensor {
  const tensor = operandOf(context, operator, 'inputs', place);
  return tensor.bytes === null
    ? activationOf(context, operator, place)
    : addOperand(context, operator, tensor);
}

/** Whether a value can stand for one of the output's shape; see AddOperator. */
function broadcasts(input: Tensor, output: Tensor): boolean {
  const channels = output.shape.at(-1) ?? 0;
  if (input.shape.join() === output.shape.join()) return input.data === null;
  if (input.data !== null) {
    const perChannel = input.data.length === channels && input.shape.at(-1) === channels;
    return input.data.length === 1 || (perChannel && output.shape.length === 4);
  }
  return output.shape.length === 4 && input.shape.join() === `1,1,1,${channels}`;
}

function readBinary(kind: 'add' | 'mul'): (context: ReadContext, operator: TfliteOperator) => void {
  return (context, operator) => {
    const first = binaryInput(context, operator, 0);
    const second = binaryInput(context, operator, 1);
    const output = outputOf(context, operator);
    requireSameType(operator, first, output);
    requireSameType(operator, second, output);
    const whole = [first, second].some(
      ({ shape, data }) => data === null && shape.join() === output.shape.join(),
    );
    if (!whole || !broadcasts(first, output) || !broadcasts(second, output)) {
      const shapes = [first, second, output].map(({ shape }) => `[${shape.join(', ')}]`);
      throw badShape(
        operator,
        "two inputs of the output's shape, or one of them a value or one a channel",
        shapes.join(', '),
      );
    }
    const read: AddOperator | MulOperator = {
      kind,
      inputs: [first.name, second.name],
      output: output.name,
      activation: fusedActivation(operator, 0),
    };
    context.operators.push(read);
  };
}

export const readAdd = readBinary('add');
export const readMul = readBinary('mul');

function unaryTensors(context: ReadContext, operator: TfliteOperator) {
  const input = activationOf(context, operator, 0);
  const output = outputOf(context, operator);
  requireSameType(operator, input, output);
  if (input.shape.join() !== output.shape.join()) {
    throw badShape(operator, `[${input.shape.join(', ')}]`, `[${output.shape.join(', ')}]`);
  }
  return { input: input.name, output: output.name };
}

export function readHardSwish(context: ReadContext, operator: TfliteOperator): void {
  context.operators.push({ kind: 'hard-swish', ...unaryTensors(context, operator) });
}

export function readSigmoid(context: ReadContext, operator: TfliteOperator): void {
  context.operators.push({ kind: 'sigmoid', ...unaryTensors(context, operator) });
}

function readActivation(activation: Activation) {
  return (context: ReadContext, operator: TfliteOperator): void => {
    context.operators.push({
      kind: 'activation',
      activation,
      ...unaryTensors(context, operator),
    });
  };
}

export const readRelu = readActivation('relu');
export const readRelu6 = readActivation('relu6');

/** Largest window or stride; anything above is damage. */
const MAX_WINDOW = 1024;

export function readMaxPool(context: ReadContext, operator: TfliteOperator): void {
  const input = activationOf(context, operator, 0);
  const output = outputOf(context, operator);
  requireSameType(operator, input, output);
  if (!sameQuantization(input, output)) {
    throw unsupported(operator, 'the same quantization before and after', 'another one');
  }
  const padding = PADDINGS[operator.options.int8(0, 0)];
  const stride = [operator.options.int32(2, 0), operator.options.int32(1, 0)] as const;
  const kernel = [operator.options.int32(4, 0), operator.options.int32(3, 0)] as const;
  const wild = [...stride, ...kernel].find((side) => side < 1 || side > MAX_WINDOW);
  if (padding === undefined || wild !== undefined || input.shape.length !== 4) {
    throw badShape(operator, `windows and strides from 1 to ${MAX_WINDOW}`, `${wild ?? padding}`);
  }
  const side = (axis: 0 | 1) => {
    const from = input.shape[1 + axis] ?? 0;
    const steps = padding === 'same' ? from : from - kernel[axis] + 1;
    return Math.ceil(steps / stride[axis]);
  };
  const expected = [1, side(0), side(1), input.shape[3]];
  if (output.shape.join() !== expected.join() || side(0) < 1 || side(1) < 1) {
    throw badShape(operator, `[${expected.join(', ')}]`, `[${output.shape.join(', ')}]`);
  }
  const activation = fusedActivation(operator, 5);
  if (activation !== 'none') throw unsupported(operator, 'no fused activation', activation);
  const pool = { kind: 'max-pool', input: input.name, output: output.name } as const;
  context.operators.push({ ...pool, kernel, stride, padding });
}
