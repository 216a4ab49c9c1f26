import { paddingOf } from '../geometry.js';
import type {
  Activation,
  ActivationOperator,
  AddOperator,
  ConvOperator,
  GlobalAveragePoolOperator,
  HardSwishOperator,
  MaxPoolOperator,
  MulOperator,
  NormalizeOperator,
  PictureOperator,
  SigmoidOperator,
  TensorData,
} from '../graph.js';
import { constantOf, nhwcShape, tensorOf } from '../tensors.js';
import type { OnnxBuilder } from './builder.js';
import { DATA_TYPE } from './definitions.js';
import {
  convAttributes,
  convShapes,
  type Emission,
  innerName,
  onnxWeightDims,
  operandName,
  reorderedWeights,
} from './emission.js';

/** Runs `emit` with the name its result shall have, then adds the activation. */
function withActivation(
  { graph, builder }: Emission,
  output: string,
  activation: Activation,
  emit: (name: string) => void,
): void {
  const inner = innerName(graph, output);
  if (activation === 'none') {
    emit(inner);
    return;
  }
  const linear = `${output}:linear`;
  emit(linear);
  if (activation === 'relu') builder.node('Relu', [linear], inner);
  else
    builder.node(
      'Clip',
      [linear, builder.scalar('float32', 0), builder.scalar('float32', 6)],
      inner,
    );
}

function toFloat32(values: TensorData): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

export function emitFloatConv(emission: Emission, operator: ConvOperator): void {
  const { graph, builder } = emission;
  const shapes = convShapes(graph, operator);
  const source = constantOf(tensorOf(graph, operator.weights));
  const weights = reorderedWeights(operator, shapes, toFloat32(source));
  const inputs = [
    innerName(graph, operator.input),
    builder.constant(`${operator.output}:weights`, 'float32', onnxWeightDims(shapes), weights),
  ];
  if (operator.bias !== null) {
    const bias = Float32Array.from(constantOf(tensorOf(graph, operator.bias)));
    inputs.push(builder.constant(`${operator.output}:bias`, 'float32', [bias.length], bias));
  }
  withActivation(emission, operator.output, operator.activation, (name) => {
    builder.node('Conv', inputs, name, convAttributes(operator, shapes));
  });
}

export function emitFloatBinary(
  emission: Emission,
  operator: AddOperator | MulOperator,
  opType: 'Add' | 'Mul',
): void {
  const inputs = operator.inputs.map((input) => operandName(emission, input));
  withActivation(emission, operator.output, operator.activation, (name) => {
    emission.builder.node(opType, inputs, name);
  });
}

export function emitFloatFunction(
  { graph, builder }: Emission,
  operator: HardSwishOperator | SigmoidOperator,
): void {
  const opType = FUNCTIONS[operator.kind];
  builder.node(opType, [innerName(graph, operator.input)], innerName(graph, operator.output));
}

/** Names of functions of one value. */
export const FUNCTIONS = { 'hard-swish': 'HardSwish', sigmoid: 'Sigmoid' } as const;

export function emitFloatActivation(emission: Emission, operator: ActivationOperator): void {
  const { graph, builder } = emission;
  withActivation(emission, operator.output, operator.activation, (name) => {
    builder.node('Identity', [innerName(graph, operator.input)], name);
  });
}

/** The same for uint8 and float32. */
export function emitMaxPool({ graph, builder }: Emission, operator: MaxPoolOperator): void {
  const { kernel, stride, padding } = operator;
  const [, rows, columns] = nhwcShape(tensorOf(graph, operator.input));
  const geometry = { stride, padding, dilation: [1, 1] } as const;
  const [top, bottom] = paddingOf(geometry, 'height', rows, kernel[0]);
  const [left, right] = paddingOf(geometry, 'width', columns, kernel[1]);
  builder.node('MaxPool', [innerName(graph, operator.input)], innerName(graph, operator.output), {
    kernel_shape: kernel,
    strides: stride,
    pads: [top, left, bottom, right],
  });
}

export function emitFloatAverage(
  { graph, builder }: Emission,
  operator: GlobalAveragePoolOperator,
): void {
  const flat = tensorOf(graph, operator.output).shape.length === 2;
  const pooled = flat ? `${operator.output}:pooled` : innerName(graph, operator.output);
  builder.node('GlobalAveragePool', [innerName(graph, operator.input)], pooled);
  if (flat) builder.node('Flatten', [pooled], operator.output, { axis: 1 });
}

/** DequantizeLinear does the cast and the scaling; an offset it cannot express becomes an Add. */
export function emitNormalize({ graph, builder }: Emission, operator: NormalizeOperator): void {
  const inner = innerName(graph, operator.output);
  const input = innerName(graph, operator.input);
  if (operator.scale.length > 1 || operator.offset.length > 1) {
    emitNormalizeChannels(builder, operator, input, inner);
    return;
  }
  const [factor = 1] = operator.scale;
  const [offset = 0] = operator.offset;
  const scale = builder.scalar('float32', factor);
  const zeroPoint = -offset / factor;
  if (Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255) {
    builder.node('DequantizeLinear', [input, scale, builder.scalar('uint8', zeroPoint)], inner);
    return;
  }
  const scaled = builder.node(
    'DequantizeLinear',
    [input, scale, builder.scalar('uint8', 0)],
    `${operator.output}:scaled`,
  );
  builder.node('Add', [scaled, builder.scalar('float32', offset)], inner);
}

function emitNormalizeChannels(
  builder: OnnxBuilder,
  { output, scale, offset }: NormalizeOperator,
  input: string,
  inner: string,
): void {
  const constant = (name: string, values: readonly number[]) =>
    builder.constant(
      `${output}:${name}`,
      'float32',
      [values.length, 1, 1],
      Float32Array.from(values),
    );
  const real = builder.node('Cast', [input], `${output}:bytes`, { to: DATA_TYPE.float32 });
  const scaled = builder.node('Mul', [real, constant('scale', scale)], `${output}:scaled`);
  builder.node('Add', [scaled, constant('offset', offset)], inner);
}

/** Channels are the last dimension of the input as it comes, which is where both are done. */
export function emitPicture({ graph, builder }: Emission, operator: PictureOperator): void {
  const { input, output, reversed, table } = operator;
  let value = input;
  if (reversed) {
    const order = builder.constant(`${output}:order`, 'int64', [3], BigInt64Array.of(2n, 1n, 0n));
    value = builder.node('Gather', [value, order], `${output}:reversed`, { axis: 3 });
  }
  if (table !== null) {
    value = builder.node('Cast', [value], `${output}:index`, { to: DATA_TYPE.int32 });
    if (table.length > 256) {
      const first = Int32Array.from({ length: table.length / 256 }, (_, channel) => 256 * channel);
      const starts = builder.constant(`${output}:starts`, 'int32', [first.length], first);
      value = builder.node('Add', [value, starts], `${output}:entry`);
    }
    const entries = builder.constant(`${output}:table`, 'uint8', [table.length], table);
    value = builder.node('Gather', [entries, value], `${output}:stored`, { axis: 0 });
  }
  builder.node('Transpose', [value], innerName(graph, output), { perm: [0, 3, 1, 2] });
}
