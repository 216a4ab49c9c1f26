import { codedError } from '../../errors.js';

/** Property of a parsed JSON object, never of its prototype. */
export function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A name from a model, fit for an error message. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
}

export function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (!isRecord(value)) throw invalid(describe(value), `an object for ${what}`);
  return value;
}

export function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(describe(value), `a list for ${what}`);
  return value;
}

export function asString(value: unknown, what: string): string {
  if (typeof value !== 'string') throw invalid(describe(value), `text for ${what}`);
  return value;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

export function invalid(found: string, expected: string) {
  return codedError('MND_MODEL_INVALID', { subject: 'model.json', expected, found });
}
