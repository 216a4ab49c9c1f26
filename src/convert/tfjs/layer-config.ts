import { nodeError } from '../float-network/nodes.js';
import { asArray, asRecord, asString, isRecord, own } from './json.js';

/** One layer as Keras describes it, checked as far as every layer has it. */
export interface Layer {
  readonly type: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of the layers whose results it takes; null in a Sequential model, where it is the one before. */
  readonly inputs: readonly string[] | null;
}

/** What an error says of a layer. */
export function subjectOf({ type, name }: Layer): string {
  return `layer ${type} ${JSON.stringify(name.slice(0, 120))}`;
}

export function unsupported(layer: Layer, expected: string, found: string): Error {
  return nodeError('MND_MODEL_OPERATOR', subjectOf(layer), expected, found);
}

export function readLayer(value: unknown): Layer {
  const record = asRecord(value, 'a layer');
  const type = asString(own(record, 'class_name'), 'the class of a layer');
  const config = asRecord(own(record, 'config'), `the configuration of ${type}`);
  const name = own(config, 'name') ?? own(record, 'name') ?? type;
  const layer = { type, name: asString(name, `the name of a ${type}`), config };
  const calls = own(record, 'inbound_nodes');
  return { ...layer, inputs: calls === undefined ? null : inputsOf(layer.name, calls) };
}

/** Keras 2: [[["name", 0, 0, {}], …]]; Keras 3: [{ args: [{ config: { keras_history: […] } }] }]. */
function inputsOf(name: string, value: unknown): readonly string[] {
  const calls = asArray(value, `the inputs of ${name}`);
  const [call] = calls;
  if (call === undefined) return [];
  if (calls.length > 1) {
    throw nodeError(
      'MND_MODEL_OPERATOR',
      `layer ${name}`,
      'a layer that is used once',
      'a shared one',
    );
  }
  const found: string[] = [];
  const visit = (part: unknown, depth: number): void => {
    if (depth > 6) return;
    const history = isRecord(part) ? own(part, 'keras_history') : part;
    if (Array.isArray(history) && typeof history[0] === 'string') found.push(history[0]);
    else if (Array.isArray(part)) for (const each of part) visit(each, depth + 1);
    else if (isRecord(part)) {
      const inner = own(part, 'args') ?? own(part, 'config');
      if (inner !== undefined) visit(inner, depth + 1);
    }
  };
  visit(call, 0);
  return found;
}

/** A whole number of a layer's configuration. */
export function whole(layer: Layer, key: string, fallback?: number): number {
  const value = own(layer.config, key) ?? fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 100_000) {
    return value;
  }
  throw unsupported(layer, `a whole number as ${key}`, String(value));
}

/** A number or two, for height and width. */
export function pair(layer: Layer, key: string, fallback?: readonly [number, number]) {
  const value = own(layer.config, key) ?? fallback;
  const [height, width] = Array.isArray(value) ? value : [value, value];
  const sane = [height, width].every(
    (side) => Number.isInteger(side) && Number(side) >= 1 && Number(side) <= 1024,
  );
  if (sane) return [Number(height), Number(width)] as const;
  throw unsupported(layer, `one or two whole numbers as ${key}`, JSON.stringify(value) ?? 'none');
}

export function paddingOf(layer: Layer): 'same' | 'valid' {
  const value = String(own(layer.config, 'padding') ?? 'valid').toLowerCase();
  if (value === 'same' || value === 'valid') return value;
  throw unsupported(layer, 'padding same or valid', value);
}

/** @throws MND_MODEL_OPERATOR for channels before rows */
export function requireChannelsLast(layer: Layer): void {
  const format = own(layer.config, 'data_format') ?? 'channels_last';
  if (format !== 'channels_last') throw unsupported(layer, 'channels last', String(format));
}

/** The name of an activation function; a layer may have one of its own. */
export function activationName(layer: Layer): string {
  const value = own(layer.config, 'activation') ?? 'linear';
  const name = isRecord(value) ? (own(value, 'class_name') ?? '') : value;
  return String(name).toLowerCase();
}
