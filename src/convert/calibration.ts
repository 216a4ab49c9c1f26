import { codedError } from '../errors.js';

/** What was measured on pictures in the float network; keys are activation tensor names. */
export interface Calibration {
  /** Divisors that bring the channels of linear activations to similar ranges; see equalizeGraph. */
  readonly channelScales: ReadonlyMap<string, readonly number[]>;
  /**
   * Least and greatest value worth representing (after equalization), for tensors whose range no
   * activation function fixes.
   */
  readonly ranges: ReadonlyMap<string, readonly [min: number, max: number]>;
  /**
   * Mean of each channel of a convolution's input (after equalization): with it, what rounding the
   * weights takes from a result on average can be put back, however coarsely they are rounded.
   */
  readonly means: ReadonlyMap<string, readonly number[]>;
  /** Whether a classifier's first operators stay real; absent: no. */
  readonly realHead?: boolean;
}

/**
 * Reads a calibration from parsed JSON: an object whose `channelScales`, `ranges` and `means` are
 * objects of number lists. Other keys tell where it comes from and are ignored.
 *
 * @throws MND_MODEL_INVALID if it has another form
 */
export function parseCalibration(document: unknown): Calibration {
  const ranges = new Map<string, readonly [number, number]>();
  for (const [name, values] of entriesOf(document, 'ranges')) {
    const [min, max] = values;
    if (values.length !== 2 || min === undefined || max === undefined || min > max) {
      throw invalid(`a range [min, max] for ${name}`, `[${values.slice(0, 4).join(', ')}]`);
    }
    ranges.set(name, [min, max]);
  }
  return {
    channelScales: new Map(entriesOf(document, 'channelScales')),
    ranges,
    means: new Map(entriesOf(document, 'means')),
  };
}

function entriesOf(document: unknown, key: string): [string, readonly number[]][] {
  const section = isRecord(document) && Object.hasOwn(document, key) ? document[key] : undefined;
  if (!isRecord(section)) throw invalid(`an object named ${key}`, typeof section);
  return Object.entries(section).map(([name, values]) => {
    if (!Array.isArray(values) || !values.every(isFiniteNumber)) {
      throw invalid(`a list of numbers for ${name.slice(0, 120)}`, 'something else');
    }
    return [name, values];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function invalid(expected: string, found: string) {
  return codedError('MND_MODEL_INVALID', { subject: 'calibration', expected, found });
}
