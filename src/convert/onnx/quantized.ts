import { codedError } from '../../errors.js';
import type {
  Activation,
  ActivationOperator,
  AddOperator,
  ConvOperator,
  GlobalAveragePoolOperator,
  HardSwishOperator,
  MulOperator,
  RequantizeOperator,
  SigmoidOperator,
  StoreOperator,
  Tensor,
  TensorData,
} from '../graph.js';
import {
  constantOf,
  quantizationOf,
  type ScalarQuantization,
  scalarQuantization,
  tensorOf,
} from '../tensors.js';
import { MICROSOFT } from './builder.js';
import {
  type ConvShapes,
  convAttributes,
  convShapes,
  type Emission,
  innerName,
  onnxWeightDims,
  operandName,
  reorderedWeights,
} from './emission.js';
import { FUNCTIONS } from './float.js';
import { additionRatios, productRatio } from './portable-ratios.js';

/**
 * TensorFlow Lite rounds a pool's halves away from a stored value (0 for uint8), onnxruntime to
 * even. With an input scale this much larger every half lies just beyond, and nothing else crosses a
 * rounding boundary: an average of n values has a fraction that is a multiple of 1/n.
 */
const POOL_SCALE_CORRECTION = 1 + 1e-5;

/** Names of a tensor's scale and zero point as onnxruntime's quantized operators want them. */
function activationParameters({ builder }: Emission, tensor: Tensor): [string, string] {
  const { scale, zeroPoint } = scalarQuantization(tensor);
  return [builder.scalar('float32', scale), builder.scalar('uint8', zeroPoint)];
}

/**
 * The stored values an activation function allows (CalculateActivationRangeQuantized in TensorFlow
 * Lite's kernel_util.cc); [0, 255] when the output's type already clamps to it.
 */
function activationRange(tensor: Tensor, activation: Activation): readonly [number, number] {
  if (activation === 'none') return [0, 255];
  const { scale, zeroPoint } = scalarQuantization(tensor);
  const low = Math.max(0, zeroPoint);
  const high = activation === 'relu' ? 255 : Math.min(255, zeroPoint + Math.round(6 / scale));
  return [low, high];
}

function withActivation(
  { graph, builder }: Emission,
  output: string,
  activation: Activation,
  emit: (name: string) => void,
): void {
  const [low, high] = activationRange(tensorOf(graph, output), activation);
  const inner = innerName(graph, output);
  if (low === 0 && high === 255) {
    emit(inner);
    return;
  }
  const linear = `${output}:linear`;
  emit(linear);
  builder.node(
    'Clip',
    [linear, builder.scalar('uint8', low), builder.scalar('uint8', high)],
    inner,
  );
}

/** uint8 values are moved down by 128, which turns the first of their bits. */
function toInt8(values: TensorData): Int8Array {
  if (values instanceof Int8Array) return values;
  const moved = new Int8Array(values.length);
  for (let index = 0; index < moved.length; index += 1) moved[index] = (values[index] ?? 0) ^ 0x80;
  return moved;
}

/** Adds int8 weights with their scale and zero point; uint8 weights are moved down by 128. */
function weightInputs(
  { graph, builder }: Emission,
  operator: ConvOperator,
  shapes: ConvShapes,
): [string, string, string] {
  const tensor = tensorOf(graph, operator.weights);
  const { scale, zeroPoint } = quantizationOf(tensor);
  if (tensor.type !== 'uint8' && tensor.type !== 'int8') {
    throw codedError('MND_MODEL_SHAPE', {
      subject: `tensor ${tensor.name}`,
      expected: 'uint8 or int8 weights',
      found: tensor.type,
    });
  }
  if (
    scale.length !== zeroPoint.length ||
    (scale.length !== 1 && scale.length !== shapes.outChannels)
  ) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: `tensor ${tensor.name}`,
      expected: `1 or ${shapes.outChannels} scales and zero points`,
      found: `${scale.length} and ${zeroPoint.length}`,
    });
  }
  const shift = tensor.type === 'uint8' ? 128 : 0;
  const weights = reorderedWeights(operator, shapes, toInt8(constantOf(tensor)));
  const name = builder.constant(
    `${operator.output}:weights`,
    'int8',
    onnxWeightDims(shapes),
    weights,
  );
  const dims = scale.length === 1 ? [] : [scale.length];
  const zeros = Int8Array.from(zeroPoint, (zero) => zero - shift);
  // Not shared between operators: onnxruntime's session.x64quantprecision rewrites each in place.
  return [
    name,
    builder.constant(`${operator.output}:scale`, 'float32', dims, Float32Array.from(scale)),
    builder.constant(`${operator.output}:zero`, 'int8', dims, zeros),
  ];
}

/** QLinearConv: x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias. */
export function emitQuantizedConv(emission: Emission, operator: ConvOperator): void {
  const { graph, builder } = emission;
  const shapes = convShapes(graph, operator);
  const inputs = [
    innerName(graph, operator.input),
    ...activationParameters(emission, tensorOf(graph, operator.input)),
    ...weightInputs(emission, operator, shapes),
    ...activationParameters(emission, tensorOf(graph, operator.output)),
  ];
  if (operator.bias !== null) {
    const bias = Int32Array.from(constantOf(tensorOf(graph, operator.bias)));
    inputs.push(builder.constant(`${operator.output}:bias`, 'int32', [bias.length], bias));
  }
  withActivation(emission, operator.output, operator.activation, (name) => {
    builder.node('QLinearConv', inputs, name, convAttributes(operator, shapes));
  });
}

/**
 * QLinearAdd and QLinearMul: a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero. Only the ratios
 * of the scales matter; those are chosen so that every processor rounds alike.
 */
export function emitQuantizedBinary(
  emission: Emission,
  operator: AddOperator | MulOperator,
  opType: 'QLinearAdd' | 'QLinearMul',
): void {
  const { graph, builder } = emission;
  const [first, second] = operator.inputs;
  const a = scalarQuantization(tensorOf(graph, first));
  const b = scalarQuantization(tensorOf(graph, second));
  const output = scalarQuantization(tensorOf(graph, operator.output));
  const [ratioA, ratioB] =
    opType === 'QLinearAdd' ? additionRatios(a, b, output) : [productRatio(a, b, output), 1];
  const float = (value: number) => builder.scalar('float32', value);
  const zero = ({ zeroPoint }: ScalarQuantization) => builder.scalar('uint8', zeroPoint);
  const inputs = [
    ...[operandName(emission, first), float(ratioA), zero(a)],
    ...[operandName(emission, second), float(ratioB), zero(b)],
    ...[float(1), zero(output)],
  ];
  withActivation(emission, operator.output, operator.activation, (name) => {
    builder.node(opType, inputs, name, {}, MICROSOFT);
  });
}

/**
 * Computed with real numbers: of what onnxruntime has (a table of 256 values through Gather, a product
 * of quantized factors) this is the fastest, and as near to TensorFlow Lite as any.
 */
export function emitQuantizedFunction(
  emission: Emission,
  operator: HardSwishOperator | SigmoidOperator,
): void {
  const { graph, builder } = emission;
  const { input, output } = operator;
  const real = builder.node(
    'DequantizeLinear',
    [innerName(graph, input), ...activationParameters(emission, tensorOf(graph, input))],
    `${output}:real`,
  );
  const swish = builder.node(FUNCTIONS[operator.kind], [real], `${output}:function`);
  const parameters = activationParameters(emission, tensorOf(graph, output));
  builder.node('QuantizeLinear', [swish, ...parameters], innerName(graph, output));
}

/** Real numbers as stored ones. */
export function emitStore(emission: Emission, { input, output }: StoreOperator): void {
  const { graph, builder } = emission;
  const parameters = activationParameters(emission, tensorOf(graph, output));
  builder.node(
    'QuantizeLinear',
    [innerName(graph, input), ...parameters],
    innerName(graph, output),
  );
}

/** From one quantization to another, if they differ, and clamped by an activation function. */
export function emitQuantizedActivation(
  emission: Emission,
  { input, output, activation }: ActivationOperator | (RequantizeOperator & { activation: 'none' }),
): void {
  const { graph, builder } = emission;
  const from = scalarQuantization(tensorOf(graph, input));
  const to = scalarQuantization(tensorOf(graph, output));
  const alike = from.scale === to.scale && from.zeroPoint === to.zeroPoint;
  withActivation(emission, output, activation, (name) => {
    if (alike) {
      builder.node('Identity', [innerName(graph, input)], name);
      return;
    }
    const real = builder.node(
      'DequantizeLinear',
      [innerName(graph, input), ...activationParameters(emission, tensorOf(graph, input))],
      `${output}:real`,
    );
    const parameters = activationParameters(emission, tensorOf(graph, output));
    builder.node('QuantizeLinear', [real, ...parameters], name);
  });
}

export function emitQuantizedAverage(
  emission: Emission,
  operator: GlobalAveragePoolOperator,
): void {
  const { graph, builder } = emission;
  const input = tensorOf(graph, operator.input);
  const output = tensorOf(graph, operator.output);
  const flat = output.shape.length === 2;
  const pooled = flat ? `${operator.output}:pooled` : innerName(graph, operator.output);
  const from = scalarQuantization(input);
  const to = scalarQuantization(output);
  // Alike, the zero point cancels out, and any number may take its place: the one to round from.
  const alike = from.scale === to.scale && from.zeroPoint === to.zeroPoint;
  const roundsFrom = operator.roundsFrom ?? 0;
  const inputs = [
    innerName(graph, operator.input),
    builder.scalar('float32', from.scale * POOL_SCALE_CORRECTION),
    builder.scalar('uint8', alike ? roundsFrom : from.zeroPoint),
    builder.scalar('float32', to.scale),
    builder.scalar('uint8', alike ? roundsFrom : to.zeroPoint),
  ];
  builder.node('QLinearGlobalAveragePool', inputs, pooled, { channels_last: 0 }, MICROSOFT);
  if (flat) builder.node('Flatten', [pooled], operator.output, { axis: 1 });
}
