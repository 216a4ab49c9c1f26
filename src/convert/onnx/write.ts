import { codedError } from '../../errors.js';
import type { Graph, Operator, ReshapeOperator, Tensor } from '../graph.js';
import { elementCount, nhwcShape, tensorOf } from '../tensors.js';
import { createOnnxBuilder } from './builder.js';
import { type Emission, innerName } from './emission.js';
import {
  emitFloatActivation,
  emitFloatAverage,
  emitFloatBinary,
  emitFloatConv,
  emitFloatFunction,
  emitMaxPool,
  emitNormalize,
  emitPicture,
} from './float.js';
import {
  emitQuantizedActivation,
  emitQuantizedAverage,
  emitQuantizedBinary,
  emitQuantizedConv,
  emitQuantizedFunction,
  emitStore,
} from './quantized.js';

export interface WriteOptions {
  /** Name of the graph inside the file. */
  readonly name?: string;
  /** Key-value pairs stored in the file (`metadata_props`). */
  readonly metadata?: Readonly<Record<string, string>>;
}

const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];

function dimensionsOf(tensor: Tensor): (number | string)[] {
  const symbols = ['batch', 'height', 'width', 'channels'];
  return tensor.shape.map((side, index) =>
    side < 0 ? `${tensor.name}:${symbols[index] ?? index}` : side,
  );
}

function emitInput({ graph, builder }: Emission, name: string): void {
  const tensor = tensorOf(graph, name);
  builder.input(name, tensor.type, dimensionsOf(tensor));
  const laidOut = graph.operators.some(
    (operator) => operator.kind === 'picture' && operator.input === name,
  );
  if (tensor.shape.length === 4 && !laidOut) {
    builder.node('Transpose', [name], innerName(graph, name), { perm: TO_NCHW });
  }
}

function emitOutput({ graph, builder }: Emission, name: string): void {
  const tensor = tensorOf(graph, name);
  builder.output(name, tensor.type, dimensionsOf(tensor));
  if (tensor.shape.length === 4) {
    builder.node('Transpose', [innerName(graph, name)], name, { perm: TO_NHWC });
  }
}

/** True if NCHW and NHWC hold the values in the same order. */
function isOrderFree(tensor: Tensor): boolean {
  if (tensor.shape.length !== 4) return true;
  const [, height, width, channels] = nhwcShape(tensor);
  return channels === 1 || (height === 1 && width === 1);
}

/** A reshape means NHWC order, so values go through it unless the order does not matter. */
function emitReshape({ graph, builder }: Emission, operator: ReshapeOperator): void {
  const input = tensorOf(graph, operator.input);
  const output = tensorOf(graph, operator.output);
  const count = elementCount(output.shape);
  if (count < 0 || count !== elementCount(input.shape)) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: `reshape to ${operator.output}`,
      expected: 'as many values in as out, all dimensions known',
      found: `[${input.shape.join(', ')}] to [${output.shape.join(', ')}]`,
    });
  }
  let value = innerName(graph, operator.input);
  if (input.shape.join() === output.shape.join()) {
    builder.node('Identity', [value], innerName(graph, operator.output));
    return;
  }
  if (!isOrderFree(input)) {
    value = builder.node('Transpose', [value], `${operator.output}:source`, { perm: TO_NHWC });
  }
  const inner = innerName(graph, operator.output);
  const reordered = !isOrderFree(output);
  const [batch, height, width, channels] = output.shape;
  const dims =
    reordered || output.shape.length !== 4 ? output.shape : [batch, channels, height, width];
  const shape = builder.constant(
    `${operator.output}:shape`,
    'int64',
    [dims.length],
    BigInt64Array.from(dims, (side) => BigInt(side ?? 0)),
  );
  if (!reordered) {
    builder.node('Reshape', [value, shape], inner);
    return;
  }
  value = builder.node('Reshape', [value, shape], `${operator.output}:nhwc`);
  builder.node('Transpose', [value], inner, { perm: TO_NCHW });
}

function emitOperator(emission: Emission, operator: Operator): void {
  const quantized = tensorOf(emission.graph, operator.output).type === 'uint8';
  switch (operator.kind) {
    case 'conv':
      if (quantized) emitQuantizedConv(emission, operator);
      else emitFloatConv(emission, operator);
      break;
    case 'add':
      if (quantized) emitQuantizedBinary(emission, operator, 'QLinearAdd');
      else emitFloatBinary(emission, operator, 'Add');
      break;
    case 'mul':
      if (quantized) emitQuantizedBinary(emission, operator, 'QLinearMul');
      else emitFloatBinary(emission, operator, 'Mul');
      break;
    case 'hard-swish':
    case 'sigmoid':
      if (quantized) emitQuantizedFunction(emission, operator);
      else emitFloatFunction(emission, operator);
      break;
    case 'activation':
      if (quantized) emitQuantizedActivation(emission, operator);
      else emitFloatActivation(emission, operator);
      break;
    case 'max-pool':
      emitMaxPool(emission, operator);
      break;
    case 'global-average-pool':
      if (quantized) emitQuantizedAverage(emission, operator);
      else emitFloatAverage(emission, operator);
      break;
    case 'reshape':
      emitReshape(emission, operator);
      break;
    case 'picture':
      emitPicture(emission, operator);
      break;
    case 'normalize':
      emitNormalize(emission, operator);
      break;
    case 'store':
      emitStore(emission, operator);
      break;
    case 'requantize':
      emitQuantizedActivation(emission, { ...operator, activation: 'none' });
      break;
  }
}

/**
 * Writes a graph as a whole ONNX file (opset 17, plus onnxruntime's com.microsoft operators for
 * quantized graphs). Each operator is written quantized if its output is uint8 and in float32 if its
 * output is float32.
 *
 * Inputs and outputs keep their tensor names, types and NHWC shapes; −1 becomes a symbolic dimension.
 * Inside, activations are NCHW. Weights may be uint8 or int8; they are written as int8, which
 * onnxruntime's kernels prefer and which changes no result.
 *
 * Throws MND_MODEL_INVALID for tensors that are missing or lack a quantization, MND_MODEL_SHAPE for
 * shapes that do not fit together.
 */
export function writeOnnx(graph: Graph, options: WriteOptions = {}): Uint8Array {
  const builder = createOnnxBuilder(options.name ?? 'mobilenet');
  const emission: Emission = { graph, builder };
  for (const name of graph.inputs) emitInput(emission, name);
  for (const operator of graph.operators) emitOperator(emission, operator);
  for (const name of graph.outputs) emitOutput(emission, name);
  return builder.finish(options.metadata ?? {});
}
