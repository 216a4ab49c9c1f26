import type { ExplicitPadding, Padding, Tensor } from '../graph.js';
import { elementCount } from '../tensors.js';
import {
  activationOf,
  addConstant,
  addIntermediate,
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
import type { TfliteOperator } from './model-types.js';
import { PADDINGS } from './schema.js';

/** Largest stride, dilation or padding; anything above is damage. */
const MAX_STEP = 1024;

function step(operator: TfliteOperator, field: number, what: string): number {
  const value = operator.options.int32(field, 1);
  if (value < 1 || value > MAX_STEP) {
    throw badShape(operator, `a ${what} from 1 to ${MAX_STEP}`, `${value}`);
  }
  return value;
}

/** The input of a convolution, before the PAD that its own padding takes over. */
function paddedInput(
  context: ReadContext,
  operator: TfliteOperator,
): { readonly input: Tensor; readonly padding: Padding } {
  const number = operator.options.int8(0, 0);
  const padding = PADDINGS[number];
  if (padding === undefined) throw unsupported(operator, 'padding SAME or VALID', `${number}`);
  const padded = context.pads.get(operator.inputs[0] ?? -1);
  if (padded === undefined) return { input: activationOf(context, operator, 0), padding };
  if (padding !== 'valid') throw unsupported(operator, 'padding VALID behind PAD', padding);
  return { input: padded.source, padding: padded.padding };
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

export function readConv2d(context: ReadContext, operator: TfliteOperator): void {
  const { input, padding } = paddedInput(context, operator);
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
    stride: [step(operator, 2, 'stride'), step(operator, 1, 'stride')],
    dilation: [step(operator, 5, 'dilation'), step(operator, 4, 'dilation')],
    padding,
    activation: fusedActivation(operator, 3),
  });
}

export function readDepthwiseConv2d(context: ReadContext, operator: TfliteOperator): void {
  const { input, padding } = paddedInput(context, operator);
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
    stride: [step(operator, 2, 'stride'), step(operator, 1, 'stride')],
    dilation: [step(operator, 6, 'dilation'), step(operator, 5, 'dilation')],
    padding,
    activation: fusedActivation(operator, 4),
  });
}

/**
 * A fully connected layer is a 1×1 convolution: over one pixel that has all inputs as channels, or over
 * each pixel of a map (keep_num_dims, or rows that a RESHAPE made of a map).
 */
export function readFullyConnected(context: ReadContext, operator: TfliteOperator): void {
  const source = activationOf(context, operator, 0);
  const { shape } = operandOf(context, operator, 'inputs', 1);
  const [outputs = 0, inputs = 0] = shape;
  const count = elementCount(source.shape);
  const perPixel = inputs !== count && source.shape.at(-1) === inputs;
  if (shape.length !== 2 || (inputs !== count && !perPixel)) {
    const expected = `weights [outputs, ${count}] or [outputs, ${source.shape.at(-1)}]`;
    throw badShape(operator, expected, `[${shape.join(', ')}]`);
  }
  if (operator.options.int8(1, 0) !== 0) throw unsupported(operator, 'plain weights', 'shuffled');
  const map = perPixel ? mapShape(source.shape, inputs) : [1, 1, 1, inputs];
  const given = operandOf(context, operator, 'outputs', 0).shape;
  const constants = convConstants(context, operator, source, [outputs, 1, 1, inputs]);
  const output = outputOf(context, operator, rowsAsMap(given) ?? given);
  requireSameType(operator, source, output);
  let input = source;
  if (source.shape.join() !== map.join()) {
    input = addIntermediate(context, source, map);
    context.operators.push({ kind: 'reshape', input: source.name, output: input.name });
  }
  const result = [...map.slice(0, 3), outputs];
  const inPlace = output.shape.join() === result.join();
  const pixels = inPlace ? output : addIntermediate(context, output, result);
  context.operators.push({
    kind: 'conv',
    input: input.name,
    ...constants,
    output: pixels.name,
    depthwise: false,
    stride: [1, 1],
    dilation: [1, 1],
    padding: 'valid',
    activation: fusedActivation(operator, 0),
  });
  if (elementCount(output.shape) !== elementCount(result)) {
    const expected = `an output of ${elementCount(result)} values`;
    throw badShape(operator, expected, `[${output.shape.join(', ')}]`);
  }
  if (!inPlace)
    context.operators.push({ kind: 'reshape', input: pixels.name, output: output.name });
}

/** A map stays one; rows become a map of one column. */
function mapShape(shape: readonly number[], channels: number): readonly number[] {
  return shape.length === 4 ? shape : [1, elementCount(shape) / channels, 1, channels];
}

function explicitPadding(operator: TfliteOperator, values: ArrayLike<number>): ExplicitPadding {
  const [n0, n1, top = 0, bottom = 0, left = 0, right = 0, c0, c1] = Array.from(values);
  const sides = [top, bottom, left, right];
  if (values.length !== 8 || [n0, n1, c0, c1].some((side) => side !== 0)) {
    throw unsupported(
      operator,
      'padding of height and width',
      `[${Array.from(values).join(', ')}]`,
    );
  }
  if (sides.some((side) => side < 0 || side > MAX_STEP)) {
    throw badShape(operator, `paddings from 0 to ${MAX_STEP}`, sides.join(', '));
  }
  return { top, bottom, left, right };
}

/** PAD is not an operator of the graph: the convolution behind it takes over its zeros. */
export function readPad(context: ReadContext, operator: TfliteOperator): void {
  const source = activationOf(context, operator, 0);
  const paddings = operandOf(context, operator, 'inputs', 1);
  const padding = explicitPadding(operator, constantValues(operator, paddings, ['int32']));
  const output = outputOf(context, operator);
  if (!sameQuantization(source, output)) {
    throw unsupported(operator, 'the same quantization before and after', 'another one');
  }
  const [, height = 0, width = 0] = source.shape;
  const expected = [
    1,
    height + padding.top + padding.bottom,
    width + padding.left + padding.right,
    source.shape[3],
  ];
  if (source.shape.length !== 4 || output.shape.join() !== expected.join()) {
    throw badShape(operator, `[${expected.join(', ')}]`, `[${output.shape.join(', ')}]`);
  }
  context.tensors.delete(output.name);
  context.pads.set(operator.outputs[0] ?? -1, { source, padding });
}
