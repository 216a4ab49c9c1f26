import { codedError } from '../errors.js';
import { type ClassNumbers, createHead, type Head } from './head.js';

const FORMAT = 'mobilenetd-head';
const VERSION = 1;

/** A head as text: names and numbers, nothing else. */
export function headToJson({ numbers }: Head): string {
  return JSON.stringify({
    format: FORMAT,
    version: VERSION,
    centre: plain(numbers.centre),
    sigmoid: numbers.sigmoid,
    classes: numbers.classes.map(({ label, weights, bias, threshold }) => ({
      label,
      weights: plain(weights),
      bias,
      threshold,
    })),
  });
}

/** Numbers of single precision in as few digits as bring them back. */
function plain(values: Float32Array): number[] {
  return Array.from(values, (value) => Number(value.toPrecision(9)));
}

/**
 * The head that was written by {@link headToJson}.
 *
 * @throws MND_TEACH_INVALID for anything else
 */
export function headFromJson(text: string): Head {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (cause) {
    throw damaged('text that is no JSON', cause);
  }
  const file = recordOf(read);
  if (file.format !== FORMAT || file.version !== VERSION) {
    throw damaged(`${String(file.format)} version ${String(file.version)}`);
  }
  const centre = numbersOf(file.centre, null);
  if (!Array.isArray(file.classes) || file.classes.length === 0) throw damaged('no labels');
  const classes = file.classes.map((entry) => classOf(recordOf(entry), centre.length));
  if (new Set(classes.map(({ label }) => label)).size < classes.length) {
    throw damaged('a label twice');
  }
  const { slope, offset } = recordOf(file.sigmoid);
  if (!isNumber(slope) || !isNumber(offset) || slope >= 0) throw damaged('no sigmoid');
  return createHead({ centre, sigmoid: { slope, offset }, classes });
}

function classOf(entry: Readonly<Record<string, unknown>>, dimension: number): ClassNumbers {
  const { label, bias, threshold } = entry;
  if (typeof label !== 'string' || label === '') throw damaged('a label without a name');
  if (!isNumber(bias)) throw damaged('no numbers');
  if (!isNumber(threshold) || threshold < 0 || threshold > 1.000001) {
    throw damaged(`numbers out of their range at "${label}"`);
  }
  const weights = numbersOf(entry.weights, dimension);
  return { label, weights, bias, threshold };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw damaged('no object');
  return value as Readonly<Record<string, unknown>>;
}

function numbersOf(value: unknown, length: number | null): Float32Array {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isNumber)) {
    throw damaged('no numbers');
  }
  if (length !== null && value.length !== length) {
    throw damaged(`${value.length} numbers where ${length} belong`);
  }
  return Float32Array.from(value);
}

function damaged(found: string, cause?: unknown): Error {
  return codedError('MND_TEACH_INVALID', {
    subject: 'head',
    expected: 'a head that mobilenetd wrote',
    found,
    next: 'teach it again from its pictures',
    cause,
  });
}
