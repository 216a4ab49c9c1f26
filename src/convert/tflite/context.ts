import { codedError } from '../../errors.js';
import type {
  Activation,
  ElementType,
  ExplicitPadding,
  Operator,
  Tensor,
  TensorData,
} from '../graph.js';
import type { TfliteModel, TfliteOperator, TfliteTensor } from './model-types.js';
import { ACTIVATIONS } from './schema.js';

/** What operator readers work on: the parsed file, and the graph that grows. */
export interface ReadContext {
  readonly model: TfliteModel;
  readonly tensors: Map<string, Tensor>;
  readonly operators: Operator[];
  /** Graph names of the tensors that have a value so far, by tensor index. */
  readonly names: Map<number, string>;
  /** What a PAD added around a tensor and left to the convolution that reads it, by tensor index. */
  readonly pads: Map<number, Padded>;
  /** Names the graph's own input and outputs shall have, by tensor index. */
  readonly reserved: ReadonlyMap<number, string>;
  /** A name that no tensor of the graph has yet. */
  uniqueName(wanted: string): string;
}

/** A tensor before its PAD. */
export interface Padded {
  readonly source: Tensor;
  readonly padding: ExplicitPadding;
}

/** Names an operator in errors. */
export function subjectOf(operator: TfliteOperator): string {
  return `operator ${operator.index} (${operator.name})`;
}

export function unsupported(operator: TfliteOperator, expected: string, found: string): Error {
  return codedError('MND_MODEL_OPERATOR', { subject: subjectOf(operator), expected, found });
}

export function badShape(operator: TfliteOperator, expected: string, found: string): Error {
  return codedError('MND_MODEL_SHAPE', { subject: subjectOf(operator), expected, found });
}

/** The tensor an operator has at a place of its inputs or outputs; MND_MODEL_INVALID if none. */
export function operandOf(
  context: Pick<ReadContext, 'model'>,
  operator: TfliteOperator,
  list: 'inputs' | 'outputs',
  place: number,
): TfliteTensor {
  const tensor = context.model.tensors[operator[list][place] ?? -1];
  if (tensor === undefined) {
    throw codedError('MND_MODEL_INVALID', {
      subject: subjectOf(operator),
      expected: `${place + 1} ${list}`,
      found: `${operator[list].length}`,
    });
  }
  return tensor;
}

/** Graph name of an activation that an operator reads; MND_MODEL_INVALID if nothing computed it. */
export function activationOf(
  context: ReadContext,
  operator: TfliteOperator,
  place: number,
): Tensor {
  const tensor = operandOf(context, operator, 'inputs', place);
  const name = context.names.get(tensor.index);
  const found = name === undefined ? undefined : context.tensors.get(name);
  if (context.pads.has(tensor.index)) {
    throw unsupported(operator, 'a convolution behind PAD', operator.name);
  }
  if (found === undefined) {
    throw codedError('MND_MODEL_INVALID', {
      subject: subjectOf(operator),
      expected: `input ${place} to be computed by an earlier operator`,
      found: tensor.bytes === null ? `tensor ${tensor.index} without a value` : 'a constant',
    });
  }
  return found;
}

function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
}

function valuesOf(tensor: TfliteTensor, bytes: Uint8Array): TensorData | null {
  switch (tensor.type) {
    case 'uint8':
      return bytes;
    case 'int8':
      return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    case 'int32': {
      const source = aligned(bytes, 4);
      return new Int32Array(source.buffer, source.byteOffset, source.length / 4);
    }
    case 'float32': {
      const source = aligned(bytes, 4);
      return new Float32Array(source.buffer, source.byteOffset, source.length / 4);
    }
    default:
      return null;
  }
}

const ELEMENT_TYPES: readonly ElementType[] = ['float32', 'uint8', 'int8', 'int32'];

export function elementTypeOf(tensor: TfliteTensor): ElementType | null {
  return ELEMENT_TYPES.find((type) => type === tensor.type) ?? null;
}

/** Values of a constant operand in one of the given types; MND_MODEL_SHAPE for anything else. */
export function constantValues(
  operator: TfliteOperator,
  tensor: TfliteTensor,
  types: readonly ElementType[],
): TensorData {
  const values = tensor.bytes === null ? null : valuesOf(tensor, tensor.bytes);
  if (values === null || !types.some((type) => type === tensor.type)) {
    throw badShape(
      operator,
      `tensor ${tensor.index} (${tensor.name}) to be a constant of type ${types.join(' or ')}`,
      tensor.bytes === null ? 'a computed one' : tensor.type,
    );
  }
  return values;
}

/** Adds a constant to the graph under a fresh name, in another shape if one is given. */
export function addConstant(
  context: ReadContext,
  operator: TfliteOperator,
  tensor: TfliteTensor,
  types: readonly ElementType[],
  shape: readonly number[] = tensor.shape,
): Tensor {
  const data = constantValues(operator, tensor, types);
  if (data instanceof Float32Array && !data.every(Number.isFinite)) {
    throw codedError('MND_MODEL_INVALID', {
      subject: `${subjectOf(operator)}, tensor ${tensor.index} (${tensor.name})`,
      expected: 'finite numbers',
    });
  }
  const quantized = tensor.scale.length > 0;
  const added: Tensor = {
    name: context.uniqueName(tensor.name),
    type: elementTypeOf(tensor) ?? 'int32',
    shape,
    quantization: quantized
      ? {
          scale: tensor.scale,
          zeroPoint: tensor.zeroPoint,
          axis: tensor.scale.length > 1 ? tensor.axis : null,
        }
      : null,
    data,
  };
  context.tensors.set(added.name, added);
  return added;
}

/**
 * Adds an activation to the graph: uint8 or float32. int8 becomes uint8 with its zero point moved up
 * by 128, which stands for the same real values. Rows of numbers, [rows, channels] or [1, rows,
 * channels], are given as a map: [1, rows, 1, channels].
 */
export function addActivation(
  context: ReadContext,
  subject: string,
  tensor: TfliteTensor,
  shape: readonly number[] = tensor.shape,
): Tensor {
  if (context.names.has(tensor.index)) {
    throw codedError('MND_MODEL_INVALID', {
      subject,
      expected: 'every tensor to be computed once',
      found: `tensor ${tensor.index} (${tensor.name}) a second time`,
    });
  }
  const [scale] = tensor.scale;
  const [zeroPoint] = tensor.zeroPoint;
  const quantized = tensor.type === 'uint8' || tensor.type === 'int8';
  if (!quantized && tensor.type !== 'float32') {
    throw codedError('MND_MODEL_SHAPE', {
      subject: `${subject}, tensor ${tensor.index} (${tensor.name})`,
      expected: 'type uint8, int8 or float32',
      found: tensor.type,
    });
  }
  if (quantized && (scale === undefined || zeroPoint === undefined || tensor.scale.length !== 1)) {
    throw codedError('MND_MODEL_INVALID', {
      subject: `${subject}, tensor ${tensor.index} (${tensor.name})`,
      expected: 'one scale and one zero point',
      found: tensor.scale.length === 0 ? 'no quantization' : `${tensor.scale.length} scales`,
    });
  }
  if (tensor.bytes !== null || shape.some((side) => side < 1) || shape[0] !== 1) {
    throw codedError('MND_MODEL_SHAPE', {
      subject: `${subject}, tensor ${tensor.index} (${tensor.name})`,
      expected: 'a computed tensor, batch 1, no empty dimension',
      found: tensor.bytes === null ? `[${tensor.shape.join(', ')}]` : 'a constant',
    });
  }
  const added: Tensor = {
    name: context.reserved.get(tensor.index) ?? context.uniqueName(tensor.name),
    type: quantized ? 'uint8' : 'float32',
    shape,
    quantization:
      quantized && scale !== undefined && zeroPoint !== undefined
        ? {
            scale: [scale],
            zeroPoint: [tensor.type === 'int8' ? zeroPoint + 128 : zeroPoint],
            axis: null,
          }
        : null,
    data: null,
  };
  context.tensors.set(added.name, added);
  context.names.set(tensor.index, added.name);
  return added;
}

/** Adds a quantized or float constant that is read like an activation; int8 becomes uint8. */
export function addOperand(
  context: ReadContext,
  operator: TfliteOperator,
  tensor: TfliteTensor,
): Tensor {
  const constant = addConstant(context, operator, tensor, ['uint8', 'int8', 'float32']);
  const [zeroPoint] = constant.quantization?.zeroPoint ?? [];
  if (constant.type !== 'float32' && (zeroPoint === undefined || tensor.scale.length !== 1)) {
    throw badShape(operator, `one scale of tensor ${tensor.index}`, `${tensor.scale.length}`);
  }
  if (constant.type !== 'int8' || constant.quantization === null) return constant;
  const moved: Tensor = {
    ...constant,
    type: 'uint8',
    quantization: { ...constant.quantization, zeroPoint: [(zeroPoint ?? 0) + 128] },
    data: Uint8Array.from(constant.data ?? [], (value) => value + 128),
  };
  context.tensors.set(moved.name, moved);
  return moved;
}

/** Adds an activation that no tensor of the file stands for, like another but for its shape. */
export function addIntermediate(
  context: ReadContext,
  like: Tensor,
  shape: readonly number[],
): Tensor {
  const added = { ...like, name: context.uniqueName(like.name), shape };
  context.tensors.set(added.name, added);
  return added;
}

/** The shape of rows as a map; null for what is no rows. */
export function rowsAsMap(shape: readonly number[]): readonly number[] | null {
  const [first = 0, second = 0, third = 0] = shape;
  if (shape.length === 2 && first > 1) return [1, first, 1, second];
  return shape.length === 3 && first === 1 ? [1, second, 1, third] : null;
}

/** True if both stand for the same real values when their stored ones are equal. */
export function sameQuantization(first: Tensor, second: Tensor): boolean {
  return (
    first.type === second.type &&
    first.quantization?.scale[0] === second.quantization?.scale[0] &&
    first.quantization?.zeroPoint[0] === second.quantization?.zeroPoint[0]
  );
}

/** Adds the first output of an operator to the graph, in another shape if one is given. */
export function outputOf(
  context: ReadContext,
  operator: TfliteOperator,
  shape?: readonly number[],
): Tensor {
  const tensor = operandOf(context, operator, 'outputs', 0);
  return addActivation(context, subjectOf(operator), tensor, shape);
}

export function requireSameType(operator: TfliteOperator, input: Tensor, output: Tensor): void {
  if (input.type !== output.type) {
    throw badShape(operator, `an output of type ${input.type}`, output.type);
  }
}

/** The fused activation function in an options field; MND_MODEL_OPERATOR for one not known. */
export function fusedActivation(operator: TfliteOperator, field: number): Activation {
  const number = operator.options.int8(field, 0);
  const name = ACTIVATIONS[number] ?? `${number}`;
  if (name === 'none' || name === 'relu' || name === 'relu6') return name;
  throw unsupported(operator, 'no fused activation, RELU or RELU6', name.toUpperCase());
}
