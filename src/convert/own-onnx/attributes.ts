import { codedError } from '../../errors.js';
import { fieldsOf, messageOf, numbersOf, textOf } from './fields.js';
import type { OnnxFile, OnnxNode } from './parse.js';

/** Field numbers of NodeProto, AttributeProto and TensorProto. */
const NODE_ATTRIBUTES = 5;
const ATTRIBUTE = { name: 1, float: 2, integer: 3, text: 4, tensor: 5, integers: 8 } as const;
const TENSOR = { dims: 1, type: 2, floats: 4, raw: 9 } as const;
const FLOAT = 1;
const MOST_NUMBERS = 64;
const MAX_RANK = 8;

/** The attributes of an operator, each read as what it is asked for. */
export interface OnnxAttributes {
  readonly float: (name: string, fallback: number) => number;
  readonly integer: (name: string, fallback: number) => number;
  readonly integers: (name: string) => readonly number[] | null;
  readonly text: (name: string) => string | null;
}

/** @throws MND_MODEL_INVALID */
export function attributesOf({ raw }: OnnxNode): OnnxAttributes {
  const floats = new Map<string, number>();
  const integers = new Map<string, number>();
  const lists = new Map<string, number[]>();
  const texts = new Map<string, string>();
  for (const outer of fieldsOf(raw)) {
    for (const part of fieldsOf(messageOf(outer))) {
      if (part.number !== NODE_ATTRIBUTES) continue;
      let name = '';
      for (const field of fieldsOf(messageOf(part))) {
        const { number, value } = field;
        if (number === ATTRIBUTE.name) name = textOf(field);
        else if (number === ATTRIBUTE.float && value !== null) floats.set(name, asFloat(value));
        else if (number === ATTRIBUTE.integer && value !== null) integers.set(name, value);
        else if (number === ATTRIBUTE.text) texts.set(name, textOf(field));
        else if (number === ATTRIBUTE.integers) {
          const list = lists.get(name) ?? [];
          list.push(...numbersOf(field, MOST_NUMBERS));
          lists.set(name, list.slice(0, MOST_NUMBERS));
        }
      }
    }
  }
  return {
    float: (name, fallback) => floats.get(name) ?? fallback,
    integer: (name, fallback) => integers.get(name) ?? fallback,
    integers: (name) => lists.get(name) ?? null,
    text: (name) => texts.get(name) ?? null,
  };
}

function asFloat(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0] ?? 0;
}

/** A constant of real numbers. */
export interface OnnxWeights {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/**
 * A constant of float32, stored by itself or in a Constant node; null for one that is computed.
 *
 * @throws MND_MODEL_OPERATOR for another type
 */
export function weightsIn(file: OnnxFile, name: string): OnnxWeights | null {
  const tensor = file.constants.get(name) ?? tensorOfNode(file, name);
  if (tensor === null) return null;
  const dims: number[] = [];
  const parts: Uint8Array[] = [];
  const single: number[] = [];
  let type = 0;
  for (const field of fieldsOf(tensor)) {
    if (field.number === TENSOR.dims) dims.push(...numbersOf(field, MAX_RANK));
    else if (field.number === TENSOR.type) type = field.value ?? 0;
    else if (field.number === TENSOR.raw || field.number === TENSOR.floats) {
      if (field.bytes !== null) parts.push(field.bytes);
      else if (field.value !== null) single.push(asFloat(field.value));
    }
  }
  if (type !== FLOAT) {
    throw codedError('MND_MODEL_OPERATOR', {
      subject: `constant "${name}"`,
      expected: 'float32 weights',
      found: `data type ${type}`,
    });
  }
  const [first] = parts;
  if (first === undefined) return { dims, values: Float32Array.from(single) };
  // A copy, for bytes in a file begin anywhere.
  return { dims, values: new Float32Array(Uint8Array.from(first).buffer) };
}

function tensorOfNode(file: OnnxFile, name: string): Uint8Array | null {
  const node = file.nodes.find(
    ({ opType, outputs }) => opType === 'Constant' && outputs[0] === name,
  );
  if (node === undefined) return null;
  for (const outer of fieldsOf(node.raw)) {
    for (const part of fieldsOf(messageOf(outer))) {
      if (part.number !== NODE_ATTRIBUTES) continue;
      for (const field of fieldsOf(messageOf(part))) {
        if (field.number === ATTRIBUTE.tensor) return messageOf(field);
      }
    }
  }
  return null;
}
