import { codedError } from '../errors.js';
import type { NumericForm } from '../models/variant.js';

/** Parser of an option that is a number in [min, max]. Throws MND_USAGE. */
export function numberOption(
  name: string,
  { min, max, integer = false }: { min: number; max: number; integer?: boolean },
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const fits = text.trim() !== '' && value >= min && value <= max;
    if (fits && (!integer || Number.isInteger(value))) return value;
    throw codedError('MND_USAGE', {
      subject: name,
      expected: `a ${integer ? 'whole ' : ''}number from ${min} to ${max}`,
      found: JSON.stringify(text),
    });
  };
}

export const FORMS: readonly NumericForm[] = ['exact', 'symmetric', 'float32'];
