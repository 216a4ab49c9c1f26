import { codedError } from '../../errors.js';
import type { ExplicitPadding } from '../graph.js';
import { isRecord, own, quote } from './json.js';
import type { GraphNode } from './manifest.js';

/**
 * Attributes in protobuf's JSON mapping: integers are decimal text, bytes are either base64 text or
 * (older converters) a list of byte values.
 */
export function convolutionAttributes(node: GraphNode): {
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: 'same' | 'valid';
} {
  requireNhwc(node);
  return {
    stride: spatialPair(node, 'strides'),
    dilation: node.attributes.has('dilations') ? spatialPair(node, 'dilations') : [1, 1],
    padding: paddingOf(node),
  };
}

export function requireNhwc(node: GraphNode): void {
  const format = text(node, 'data_format');
  if (format !== undefined && format !== 'NHWC') {
    throw unsupported(node, 'data format NHWC', format);
  }
}

/** Epsilon of a batch norm; TensorFlow's default is 1e-4. */
export function epsilon(node: GraphNode): number {
  const value = field(node, 'epsilon', 'f') ?? 1e-4;
  if (typeof value !== 'number' || !(value >= 0 && value < 1)) {
    throw unsupported(node, 'an epsilon from 0 to 1', String(value));
  }
  return value;
}

export function isTraining(node: GraphNode): boolean {
  return field(node, 'is_training', 'b') === true;
}

/** Of MaxPool and AvgPool. */
export function poolAttributes(node: GraphNode): {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: 'same' | 'valid';
} {
  requireNhwc(node);
  return {
    kernel: spatialPair(node, 'ksize'),
    stride: spatialPair(node, 'strides'),
    padding: paddingOf(node),
  };
}

function paddingOf(node: GraphNode): 'same' | 'valid' {
  const padding = text(node, 'padding');
  if (padding === 'SAME') return 'same';
  if (padding === 'VALID') return 'valid';
  throw unsupported(node, 'padding SAME or VALID', String(padding));
}

/** The zeros around height and width, of [4, 2] numbers; MND_MODEL_OPERATOR for other sides. */
export function pads(node: GraphNode, values: readonly number[]): ExplicitPadding {
  const [, , top = 0, bottom = 0, left = 0, right = 0] = values;
  const sane = values.every((value) => Number.isInteger(value) && value >= 0 && value <= 64);
  const others = [values[0], values[1], values[6], values[7]];
  if (values.length !== 8 || !sane || others.some((value) => value !== 0)) {
    throw unsupported(node, 'up to 64 zeros around height and width', values.join(', '));
  }
  return { top, bottom, left, right };
}

export function flag(node: GraphNode, name: string): boolean {
  return field(node, name, 'b') === true;
}

/** Names of the operators that were fused into one, in order. */
export function fusedOperators(node: GraphNode): readonly string[] {
  const list = field(node, 'fused_ops', 'list');
  const items = isRecord(list) ? own(list, 's') : undefined;
  if (!Array.isArray(items)) return [];
  return items.slice(0, 8).map((item) => decodeText(node, 'fused_ops', item));
}

/** The shape of a placeholder; −1 for a side that is not fixed. */
export function shapeOf(node: GraphNode): readonly number[] {
  const shape = field(node, 'shape', 'shape');
  const sides = isRecord(shape) ? own(shape, 'dim') : undefined;
  if (!Array.isArray(sides)) return [];
  return sides.slice(0, 8).map((side) => Number(isRecord(side) ? (own(side, 'size') ?? -1) : -1));
}

function spatialPair(node: GraphNode, name: string): readonly [number, number] {
  const list = field(node, name, 'list');
  const items = isRecord(list) ? own(list, 'i') : undefined;
  const values = Array.isArray(items) ? items.map(Number) : [];
  const [batch, height = 0, width = 0, channels] = values;
  const whole = values.every((value) => Number.isInteger(value) && value >= 1 && value <= 64);
  if (values.length !== 4 || !whole || batch !== 1 || channels !== 1) {
    throw unsupported(node, `${name} of the form [1, height, width, 1]`, `[${values.join(', ')}]`);
  }
  return [height, width];
}

function text(node: GraphNode, name: string): string | undefined {
  const value = field(node, name, 's');
  return value === undefined ? undefined : decodeText(node, name, value);
}

function decodeText(node: GraphNode, name: string, value: unknown): string {
  if (typeof value === 'string') return Buffer.from(value, 'base64').toString('latin1');
  if (Array.isArray(value) && value.length <= 64) return Buffer.from(value.map(Number)).toString();
  throw unsupported(node, `text for ${name}`, typeof value);
}

function field(node: GraphNode, name: string, kind: string): unknown {
  const attribute = node.attributes.get(name);
  return isRecord(attribute) ? own(attribute, kind) : undefined;
}

function unsupported(node: GraphNode, expected: string, found: string) {
  return codedError('MND_MODEL_OPERATOR', {
    subject: `${node.op} ${quote(node.name)}`,
    expected,
    found: found.slice(0, 120),
  });
}
