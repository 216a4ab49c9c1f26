import { codedError } from '../errors.js';

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

/** Parser of an option that is one number or three, separated by commas. Throws MND_USAGE. */
export function numbersOption(name: string): (text: string) => number[] {
  return (text) => {
    const parts = text.split(',').map((part) => part.trim());
    const numbers = parts.map(Number);
    const whole = parts.every((part) => part !== '') && numbers.every(Number.isFinite);
    if (whole && (numbers.length === 1 || numbers.length === 3)) return numbers;
    throw codedError('MND_USAGE', {
      subject: name,
      expected: 'a number, or three separated by commas',
      found: JSON.stringify(text),
    });
  };
}
