import { codedError } from '../../errors.js';
import { type GraphNode, isRecord, own, quote } from './manifest.js';

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
  const padding = text(node, 'padding');
  if (padding !== 'SAME' && padding !== 'VALID') {
    throw unsupported(node, 'padding SAME or VALID', String(padding));
  }
  return {
    stride: spatialPair(node, 'strides'),
    dilation: node.attributes.has('dilations') ? spatialPair(node, 'dilations') : [1, 1],
    padding: padding === 'SAME' ? 'same' : 'valid',
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
  if (value === undefined) return undefined;
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
