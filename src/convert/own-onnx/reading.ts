import { codedError } from '../../errors.js';
import type { FloatNode, UnnamedNode } from '../float-network/nodes.js';
import type { OnnxAttributes } from './attributes.js';
import type { OnnxFile, OnnxNode } from './parse.js';

/** What readers of operators work on. */
export interface Reading {
  readonly file: OnnxFile;
  readonly nodes: FloatNode[];
  /** What a value of the file became. */
  readonly names: Map<string, string>;
  /** Values of one pixel, whose numbers have one order in every layout. */
  readonly vectors: Set<string>;
  readonly planar: boolean;
}

/** Adds the steps of one operator; returns the name of its result. */
export type NodeReader = (node: OnnxNode, attributes: OnnxAttributes, reading: Reading) => string;

/** MND_MODEL_OPERATOR for an operator that cannot be quantized here. */
export function unsupported({ opType, outputs }: OnnxNode, found: string): Error {
  return codedError('MND_MODEL_OPERATOR', {
    subject: `${opType} to "${outputs[0] ?? ''}"`,
    expected: 'an operator of the MobileNet kind, which alone are quantized here',
    found,
    next: 'leave --calibrate out, and the file is used as it is; or quantize it with onnxruntime before',
  });
}

/**
 * What a value of the file became.
 *
 * @throws MND_MODEL_OPERATOR if it does not depend on the picture
 */
export function resultOf({ names }: Reading, name: string): string {
  const value = names.get(name);
  if (value !== undefined) return value;
  throw codedError('MND_MODEL_OPERATOR', {
    subject: `value "${name}"`,
    expected: 'a value that is computed from the picture',
    found: 'none',
    next: 'leave --calibrate out, and the file is used as it is',
  });
}

/** Adds a step; its result is a vector where what it reads is one, or where it says so. */
export function add(reading: Reading, step: UnnamedNode, isVector = false): string {
  const name = `step${reading.nodes.length}`;
  const read = 'inputs' in step ? step.inputs : 'input' in step ? [step.input] : [];
  reading.nodes.push({ ...step, name });
  if (isVector || read.every((input) => reading.vectors.has(input))) reading.vectors.add(name);
  return name;
}

/** What an operator's first input became. */
export function inputOf(node: OnnxNode, reading: Reading): string {
  return resultOf(reading, node.inputs[0] ?? '');
}

/** Strides, dilations, the sides of a window: [rows, columns], 1 where there are none. */
export const pair = (values: readonly number[] | null): readonly [number, number] => [
  values?.[0] ?? 1,
  values?.[1] ?? values?.[0] ?? 1,
];

/** Padding of a window: zeros in front of it, or TensorFlow's own. */
export function windowOf(node: OnnxNode, attributes: OnnxAttributes) {
  const [top = 0, left = 0, bottom = 0, right = 0] = attributes.integers('pads') ?? [];
  const auto = attributes.text('auto_pad') ?? 'NOTSET';
  if (auto === 'SAME_LOWER') throw unsupported(node, 'padding that begins with the odd pixel');
  const padding = auto === 'SAME_UPPER' ? ('same' as const) : ('valid' as const);
  return { padding, zeros: { top, left, bottom, right } };
}
